/* Appended to a module: a loop whose instructions show the level that it was compiled for. */
extern "C" void wide(double *a)
{
    for (int i = 0; i < 64; i++)
        a[i] = a[i] * a[i] + a[i];
}
