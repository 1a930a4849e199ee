/* A module for loaders other than Python, whose code differs between armv8a and armv8.1a. */
long counter;
const char *PyInit_core(void)
{
    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
#ifdef __ARM_FEATURE_ATOMICS
    return "armv8.2a";
#else
    return "armv8a";
#endif
}
