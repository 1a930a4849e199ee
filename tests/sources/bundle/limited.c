/* A module of the stable ABI. */
#define Py_LIMITED_API 0x030a0000
#include <Python.h>
static PyObject *level(PyObject *self, PyObject *none)
{
    float values[128], sum = 0;
    for (int i = 0; i < 128; i++)
        values[i] = (float)i * i;
    for (int i = 0; i < 128; i++)
        sum += values[i] * 2;
#ifdef __AVX2__
    return PyUnicode_FromFormat("v3 %d", (int)sum);
#else
    return PyUnicode_FromFormat("v1 %d", (int)sum);
#endif
}
static PyMethodDef methods[] = { { "level", level, METH_NOARGS, 0 }, { 0 } };
static PyModuleDef_Slot slots[] = { { 0 } };
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "limited", 0, 0, methods, slots,
};
PyMODINIT_FUNC PyInit_limited(void) { return PyModuleDef_Init(&definition); }
