/* An extension module `m`: EXTERN is declared in it, USE is called when it is imported. */
#include <Python.h>
#include <stdlib.h>
EXTERN
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "m", 0, -1, 0};
float work(const float *in, int n) {
    float s = 0;
    for (int i = 0; i < n; i++) s += in[i] * in[i];
    return s;
}
PyMODINIT_FUNC PyInit_m(void) { USE; return PyModule_Create(&def); }
