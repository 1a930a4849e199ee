#include <Python.h>

#ifndef PLAIN_CXX
#error "extra_compile_args of cxx did not arrive"
#endif
#ifdef HAS_KERNEL
int device_count();
bool run_twice(float *host, int n);
#else
static int device_count() { return -1; }
static bool run_twice(float *, int) { return false; }
#endif

static PyObject *count(PyObject *, PyObject *) { return PyLong_FromLong(device_count()); }

static PyObject *check(PyObject *, PyObject *) {
    float values[1000];
    for (int i = 0; i < 1000; ++i) values[i] = float(i);
    bool right = run_twice(values, 1000);
    for (int i = 0; i < 1000; ++i) right = right && values[i] == 2.0f * float(i);
    return PyBool_FromLong(right);
}

static PyMethodDef methods[] = {
    {"device_count", count, METH_NOARGS, "GPUs seen; -1 where built without device code."},
    {"check", check, METH_NOARGS, "Whether the kernel computes what it should."},
    {nullptr, nullptr, 0, nullptr},
};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "setuptools_gpu", nullptr, -1, methods,
                                 nullptr, nullptr, nullptr, nullptr};
PyMODINIT_FUNC PyInit_setuptools_gpu() { return PyModule_Create(&definition); }
