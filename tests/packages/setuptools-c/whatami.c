/* Tells what it was compiled for: the tests ask the imported module, not the build. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__AVX512F__) && defined(__AVX512VL__)
#define LEVEL "v4"
#elif defined(__AVX2__) && defined(__FMA__)
#define LEVEL "v3"
#elif defined(__SSE4_2__)
#define LEVEL "v2"
#else
#define LEVEL "v1"
#endif

#if defined(__OPTIMIZE__) && defined(NDEBUG)
#define OPTIMIZED 1
#else
#define OPTIMIZED 0
#endif

#ifndef USER_DEFINE
#define USER_DEFINE 0
#endif

static PyObject *compiled_for(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return Py_BuildValue("{s:s,s:i,s:i}", "level", LEVEL, "optimized", OPTIMIZED, "user", USER_DEFINE);
}

/* A loop that the compiler vectorises, so that the level shows in the instructions too. */
static PyObject *dot(PyObject *self, PyObject *args)
{
    (void)self;
    int n;
    if (!PyArg_ParseTuple(args, "i", &n))
        return NULL;
    if (n < 0 || n > 4096)
        return PyErr_Format(PyExc_ValueError, "expected 0 to 4096, got %d", n);
    int values[4096];
    long sum = 0;
    for (int i = 0; i < n; i++)
        values[i] = i * 3;
    for (int i = 0; i < n; i++)
        sum += values[i] * values[i];
    return PyLong_FromLong(sum);
}

static PyMethodDef methods[] = {
    {"compiled_for", compiled_for, METH_NOARGS, "Level, optimisation and a define of the user."},
    {"dot", dot, METH_VARARGS, "Sum of squares of the first n multiples of 3."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "whatami", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_whatami(void)
{
    return PyModule_Create(&module);
}
