#include <Python.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "tiny", 0, -1, 0};
void add(int *a, int *b) { for (int i = 0; i < 999; i++) a[i] += b[i]; }
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&def); }
