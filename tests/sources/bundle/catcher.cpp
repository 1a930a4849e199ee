/* A module that catches by type what another module throws, and asks a shape for its class. */
#include <Python.h>
#include "shapes.h"
static PyObject *caught(PyObject *, PyObject *capsule)
{
    auto thrower = reinterpret_cast<void (*)(const char *)>(PyCapsule_GetPointer(capsule, nullptr));
    try {
        thrower("too round");
    } catch (const ShapeError &error) {
        return PyUnicode_FromString(error.what());
    } catch (...) {
        return PyUnicode_FromString("another type");
    }
    return PyUnicode_FromString("nothing");
}
static PyObject *side(PyObject *, PyObject *capsule)
{
    auto shape = static_cast<Shape *>(PyCapsule_GetPointer(capsule, nullptr));
    auto square = dynamic_cast<Square *>(shape);
    return Py_BuildValue("(dd)", square == nullptr ? -1.0 : square->side, shape->area());
}
static PyMethodDef methods[] = {
    { "caught", caught, METH_O, nullptr },
    { "side", side, METH_O, nullptr },
    { nullptr, nullptr, 0, nullptr },
};
static PyModuleDef definition = { PyModuleDef_HEAD_INIT, "catcher", nullptr, -1, methods,
                                  nullptr, nullptr, nullptr, nullptr };
PyMODINIT_FUNC PyInit_catcher() { return PyModule_Create(&definition); }
