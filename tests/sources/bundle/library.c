/* A shared library that says for which level it was compiled. */
const char *library_level(void);
float library_work(const float *values, int count);
const char *library_level(void)
{
#if defined(__AVX512F__)
    return "v4";
#elif defined(__AVX2__)
    return "v3";
#elif defined(__SSE4_2__)
    return "v2";
#else
    return "v1";
#endif
}
float library_work(const float *values, int count)
{
    float sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sum;
}
