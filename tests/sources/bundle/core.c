/* A module NAME (a macro) that says for which level it was compiled, and what it loads. */
#include <Python.h>
#if defined(__x86_64__) && defined(__AVX512F__)
#define LEVEL "v4"
#elif defined(__x86_64__) && defined(__AVX2__)
#define LEVEL "v3"
#elif defined(__x86_64__) && defined(__SSE4_2__)
#define LEVEL "v2"
#else
#define LEVEL "v1"
#endif
#ifdef LIBRARY
const char *library_level(void);
#else
static const char *library_level(void) { return "none"; }
#endif
#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOIN_OF(one, other) one##other
#define JOIN(one, other) JOIN_OF(one, other)

static PyObject *level(PyObject *self, PyObject *none) { return PyUnicode_FromString(LEVEL); }
static PyObject *library(PyObject *self, PyObject *none)
{
    return PyUnicode_FromString(library_level());
}

/* Vectorised at each level in another way. */
static PyObject *work(PyObject *self, PyObject *size)
{
    float values[256], sum = 0;
    long count = PyLong_AsLong(size);
    if (count < 0 || count > 256)
        return PyErr_Format(PyExc_ValueError, "0 to 256, not %ld", count);
    for (long i = 0; i < count; i++)
        values[i] = (float)i * 3 + 1;
    for (long i = 0; i < count; i++)
        sum += values[i] * values[i];
    return PyFloat_FromDouble(sum);
}

static PyMethodDef methods[] = {
    { "level", level, METH_NOARGS, 0 },
    { "library", library, METH_NOARGS, 0 },
    { "work", work, METH_O, 0 },
    { 0 },
};
static PyModuleDef_Slot slots[] = { { 0 } };
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, TEXT(NAME), "A module with copies.", 0, methods, slots,
};
PyMODINIT_FUNC JOIN(PyInit_, NAME)(void) { return PyModuleDef_Init(&definition); }
