/* A module that hands out a shape, and a function that throws. */
#include <Python.h>
#include "shapes.h"
static void raise_error(const char *text) { throw ShapeError(text); }
static PyObject *thrower(PyObject *, PyObject *)
{
    return PyCapsule_New(reinterpret_cast<void *>(raise_error), nullptr, nullptr);
}
static PyObject *square(PyObject *, PyObject *side)
{
    return PyCapsule_New(static_cast<Shape *>(new Square(PyFloat_AsDouble(side))), nullptr, nullptr);
}
static PyMethodDef methods[] = {
    { "thrower", thrower, METH_NOARGS, nullptr },
    { "square", square, METH_O, nullptr },
    { nullptr, nullptr, 0, nullptr },
};
static PyModuleDef definition = { PyModuleDef_HEAD_INIT, "thrower", nullptr, -1, methods,
                                  nullptr, nullptr, nullptr, nullptr };
PyMODINIT_FUNC PyInit_thrower() { return PyModule_Create(&definition); }
