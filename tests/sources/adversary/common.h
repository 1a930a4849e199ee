/* Small modules that may mislead the audit: `run` is their method, KERNEL(name) a function in AVX2. */
#include <Python.h>
#include <cpuid.h>
#include <immintrin.h>
#define NOINLINE __attribute__((noinline))
#define AVX2 __attribute__((target("avx2"), noinline))
static int data[64];
static volatile int sink;
#define KERNEL(name)                                                             \
    AVX2 static long name(void) {                                                \
        __m256i sum = _mm256_loadu_si256((void *)data);                          \
        sum = _mm256_mullo_epi32(sum, _mm256_loadu_si256((void *)(data + 8)));   \
        _mm256_storeu_si256((void *)data, sum);                                  \
        return data[3] + 1;                                                      \
    }
#define MODULE(...)                                                              \
    static PyObject *run(PyObject *self, PyObject *none) {                       \
        long got = 0;                                                            \
        __VA_ARGS__;                                                             \
        return PyLong_FromLong(got);                                             \
    }                                                                            \
    static PyMethodDef methods[] = {{"run", run, METH_NOARGS}, {0}};             \
    static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "m", 0, -1, methods};\
    PyMODINIT_FUNC PyInit_m(void) { return PyModule_Create(&def); }
/* The bit of leaf 7 that says AVX2. */
static NOINLINE int has_avx2(void) {
    unsigned a, b, c, d;
    __cpuid_count(7, 0, a, b, c, d);
    return b >> 5 & 1;
}
