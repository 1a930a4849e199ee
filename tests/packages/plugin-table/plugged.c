#include <Python.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "plugged", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_plugged(void)
{
    return PyModule_Create(&module);
}
