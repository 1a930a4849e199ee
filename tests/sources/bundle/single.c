/* A module with single-phase initialisation, a type that can be pickled, and its own path. */
#define _GNU_SOURCE
#include <Python.h>
#include <dlfcn.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    double x, y;
} Point;

static PyMemberDef members[] = {
    { "x", T_DOUBLE, offsetof(Point, x), 0, 0 },
    { "y", T_DOUBLE, offsetof(Point, y), 0, 0 },
    { 0 },
};

static int point_init(Point *self, PyObject *args, PyObject *names)
{
    return PyArg_ParseTuple(args, "dd", &self->x, &self->y) ? 0 : -1;
}

static PyObject *point_reduce(Point *self, PyObject *none)
{
    return Py_BuildValue("O(dd)", Py_TYPE(self), self->x, self->y);
}

static PyMethodDef point_methods[] = {
    { "__reduce__", (PyCFunction)point_reduce, METH_NOARGS, 0 },
    { 0 },
};

static PyTypeObject PointType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "demo.single.Point",
    .tp_basicsize = sizeof(Point),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)point_init,
    .tp_members = members,
    .tp_methods = point_methods,
};

static PyObject *own_path(PyObject *self, PyObject *none)
{
    Dl_info info;
    if (!dladdr((void *)own_path, &info))
        return PyErr_Format(PyExc_OSError, "dladdr failed");
    return PyUnicode_FromString(info.dli_fname);
}

static PyObject *level(PyObject *self, PyObject *none)
{
#ifdef __AVX2__
    return PyUnicode_FromString("v3");
#else
    return PyUnicode_FromString("v1");
#endif
}

static PyMethodDef methods[] = {
    { "own_path", own_path, METH_NOARGS, 0 },
    { "level", level, METH_NOARGS, 0 },
    { 0 },
};
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, "single", 0, -1, methods };
PyMODINIT_FUNC PyInit_single(void)
{
    PyObject *module;
    if (PyType_Ready(&PointType) < 0)
        return NULL;
    module = PyModule_Create(&definition);
    Py_INCREF(&PointType);
    PyModule_AddObject(module, "Point", (PyObject *)&PointType);
    return module;
}
