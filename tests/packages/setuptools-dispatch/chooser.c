#include <Python.h>

void add_avx512(int *a, const int *b);

static PyObject *add(PyObject *self, PyObject *args)
{
    int a[8] = {1}, b[8] = {1};
    if (__builtin_cpu_supports("avx512vl"))
        add_avx512(a, b);
    else
        a[0] += b[0];
    return PyLong_FromLong(a[0]);
}

static PyMethodDef methods[] = {{"add", add, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "chooser", 0, -1, methods};
PyMODINIT_FUNC PyInit_chooser(void) { return PyModule_Create(&def); }
