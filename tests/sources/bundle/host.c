/* Loads a chooser as Python does, and prints what the function of its copy returns. */
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words)
{
    void *handle = dlopen(words[1], RTLD_NOW);
    const char *(*init)(void *);
    const char *answer;
    if (handle == NULL) {
        puts(dlerror());
        return 1;
    }
    init = (const char *(*)(void *))dlsym(handle, "PyInit_core");
    answer = init == NULL ? NULL : init(NULL);
    puts(answer == NULL ? "none" : answer);
    return 0;
}
