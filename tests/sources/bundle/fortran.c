/* A module around a Fortran procedure. */
#include <Python.h>
void fortran_total(int count, const double *values, double *sum);
static PyObject *total(PyObject *self, PyObject *none)
{
    double values[100], sum;
    for (int i = 0; i < 100; i++)
        values[i] = i;
    fortran_total(100, values, &sum);
    return PyFloat_FromDouble(sum);
}
static PyMethodDef methods[] = { { "total", total, METH_NOARGS, 0 }, { 0 } };
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, "fortran", 0, -1, methods };
PyMODINIT_FUNC PyInit_fortran(void) { return PyModule_Create(&definition); }
