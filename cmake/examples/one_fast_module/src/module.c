/* A module whose function level() returns the level that it was compiled for. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define JOIN(a, b) a##b
#define INIT(name) JOIN(PyInit_, name)
#define QUOTE(name) #name
#define TEXT(name) QUOTE(name)

static PyObject *level(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
#if defined(__AVX512F__)
    return PyUnicode_FromString("v4");
#elif defined(__AVX2__)
    return PyUnicode_FromString("v3");
#elif defined(__SSE4_2__)
    return PyUnicode_FromString("v2");
#else
    return PyUnicode_FromString("v1");
#endif
}

static PyMethodDef methods[] = {
    {"level", level, METH_NOARGS, "Return the x86-64 level that this was compiled for."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, TEXT(MODULE_NAME), NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC INIT(MODULE_NAME)(void) { return PyModule_Create(&definition); }
