/* Stands in the place of an extension module and loads the best of its copies.
 *
 * Compiled for the baseline with one generated header, chooser_table.h, and without Python.h, so
 * that one source serves every Python and the stable ABI. Nothing is linked: the C library's
 * functions are bound when the file is loaded, without symbol versions, so that the stub runs with
 * any glibc and with musl.
 *
 * The header defines
 *   VB_MODULE             the path of the module, for messages
 *   VB_INITS(X)           X(name) for every function of the module that Python looks up
 *   VB_ACCEPTED           rows of { name, mask }: the values of VARIANTBUILD_LEVEL, and the copies
 *                         that each allows
 *   VB_NAMES              those values as text
 *   VB_COPIES             rows of struct copy, the most demanding first
 *   VB_TABLE              the table of copies as text, for tools that read the file
 */
#include <stddef.h>
#include <stdint.h>

/* One question to the CPU: CPUID (leaf, subleaf, register), or a word of the auxiliary vector. All
 * bits of the mask must be set. */
struct test {
    uint32_t leaf, subleaf, word;
    uint64_t mask;
};

struct copy {
    const char *label, *file;
    const struct test *tests;
    uint32_t count;
    uint64_t states;              /* XCR0: register states that the system must save */
    const char *vendor;           /* as CPUID says it; NULL for any */
    const char *const *libraries; /* loaded before the copy; ends with NULL */
};

struct accepted {
    const char *name;
    uint64_t mask;
};

#include "chooser_table.h"

#define PATH_LIMIT 4096
#define TEXT_LIMIT 4096
#define RTLD_NOW 2

struct info {
    const char *file;
    void *base;
    const char *symbol;
    void *address;
};
extern void *dlopen(const char *, int);
extern void *dlsym(void *, const char *);
extern char *dlerror(void);
extern int dladdr(const void *, struct info *);
extern char *getenv(const char *);

__attribute__((used, section(".variantbuild"))) static const char table[] = VB_TABLE;

static const struct copy copies[] = { VB_COPIES };
static const struct accepted accepted[] = { VB_ACCEPTED };
#define COPY_COUNT (sizeof copies / sizeof *copies)

/* ---- text ---- */

struct text {
    size_t size;
    char data[TEXT_LIMIT];
};

static void add(struct text *text, const char *more)
{
    while (*more && text->size < sizeof text->data - 1)
        text->data[text->size++] = *more++;
    text->data[text->size] = 0;
}

static int same(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}

/* ---- Python, looked up by name: PyPy has its own prefix ---- */

static void *python(const char *name)
{
    char own[64] = "PyPy";
    size_t i;
    void *found = dlsym(NULL, name);
    if (found != NULL)
        return found;
    for (i = 2; name[i] != 0 && i + 3 < sizeof own; i++)
        own[i + 2] = name[i];
    own[i + 2] = 0;
    return dlsym(NULL, own);
}

static void *import_error(const char *message)
{
    void (*set)(void *, const char *) =
        (void (*)(void *, const char *))python("PyErr_SetString");
    void **kind = (void **)python("PyExc_ImportError");
    if (set != NULL && kind != NULL)
        set(*kind, message);
    return NULL;
}

static int warn(const char *message)
{
    int (*warning)(void *, const char *, ptrdiff_t) =
        (int (*)(void *, const char *, ptrdiff_t))python("PyErr_WarnEx");
    void **kind = (void **)python("PyExc_RuntimeWarning");
    return warning == NULL || kind == NULL ? 0 : warning(*kind, message, 1);
}

/* The flags of sys.setdlopenflags, with which Python loaded this file. */
static int open_flags(void)
{
    void *(*get)(const char *) = (void *(*)(const char *))python("PySys_GetObject");
    void *(*call)(void *, void *) = (void *(*)(void *, void *))python("PyObject_CallObject");
    long (*as_long)(void *) = (long (*)(void *))python("PyLong_AsLong");
    void (*release)(void *) = (void (*)(void *))python("Py_DecRef");
    void (*clear)(void) = (void (*)(void))python("PyErr_Clear");
    void *function, *value;
    long flags;
    if (!get || !call || !as_long || !release || !clear)
        return RTLD_NOW;
    function = get("getdlopenflags");
    value = function == NULL ? NULL : call(function, NULL);
    flags = value == NULL ? 0 : as_long(value);
    if (value != NULL)
        release(value);
    if (flags <= 0) {
        clear();
        return RTLD_NOW;
    }
    return (int)flags;
}

/* ---- the CPU ---- */

#if defined(__x86_64__)

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *words)
{
    __asm__ volatile("cpuid"
                     : "=a"(words[0]), "=b"(words[1]), "=c"(words[2]), "=d"(words[3])
                     : "a"(leaf), "c"(subleaf));
}

/* Each CPUID costs a trip to the hypervisor in a virtual machine (7 microseconds): every leaf is
 * read once, and those that glibc 2.33 and newer has read at its start are taken from there
 * (<sys/platform/x86.h>, whose numbers of leaves these are). */
struct cpu {
    uint32_t known;
    const uint32_t *(*of_glibc)(uint32_t);
    struct { uint32_t leaf, subleaf, words[4]; } leaves[12];
};

static const struct { uint32_t leaf, subleaf, number; } glibc_leaves[] = {
    { 1, 0, 0 }, { 7, 0, 1 }, { 0x80000001u, 0, 2 }, { 13, 1, 3 }, { 0x80000008u, 0, 5 },
    { 7, 1, 6 },
};

static void begin(struct cpu *cpu)
{
    cpu->known = 0;
    cpu->of_glibc = (const uint32_t *(*)(uint32_t))dlsym(NULL, "__x86_get_cpuid_feature_leaf");
}

/* Return the words of a leaf as glibc read them, NULL if it has not. A leaf that the CPU does not
 * have is 0 there. */
static const uint32_t *recall(struct cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
    size_t i;
    for (i = 0; i < sizeof glibc_leaves / sizeof *glibc_leaves; i++)
        if (glibc_leaves[i].leaf == leaf && glibc_leaves[i].subleaf == subleaf)
            return cpu->of_glibc == NULL ? NULL : cpu->of_glibc(glibc_leaves[i].number);
    return NULL;
}

static const uint32_t *ask(struct cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
    uint32_t i;
    for (i = 0; i < cpu->known; i++)
        if (cpu->leaves[i].leaf == leaf && cpu->leaves[i].subleaf == subleaf)
            return cpu->leaves[i].words;
    if (i == sizeof cpu->leaves / sizeof *cpu->leaves)
        i--; /* the last place is used again */
    else
        cpu->known++;
    cpu->leaves[i].leaf = leaf;
    cpu->leaves[i].subleaf = subleaf;
    cpuid(leaf, subleaf, cpu->leaves[i].words);
    return cpu->leaves[i].words;
}

static int has(struct cpu *cpu, const struct test *test)
{
    const uint32_t *recalled = recall(cpu, test->leaf, test->subleaf);
    if (recalled != NULL)
        return (recalled[test->word] & test->mask) == test->mask;
    /* Leaves beyond the last one answer with the words of another. */
    if (test->leaf > ask(cpu, test->leaf & 0x80000000u, 0)[0])
        return 0;
    if (test->subleaf > 0 && test->leaf == 7 && test->subleaf > ask(cpu, 7, 0)[0])
        return 0;
    return (ask(cpu, test->leaf, test->subleaf)[test->word] & test->mask) == test->mask;
}

/* The CPU is asked here, next to XGETBV, so that whoever reads the machine code (our audit) sees that
 * the instruction is used only where it exists. */
static uint64_t saved_states(struct cpu *cpu)
{
    uint32_t words[4], low, high;
    (void)cpu;
    cpuid(1, 0, words);
    if (!(words[2] & 1u << 27)) /* OSXSAVE */
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int is_made_by(struct cpu *cpu, const char *vendor)
{
    const uint32_t *words = ask(cpu, 0, 0);
    const uint32_t order[3] = { words[1], words[3], words[2] };
    int i;
    for (i = 0; i < 12; i++)
        if (vendor[i] != (char)(order[i / 4] >> 8 * (i % 4)))
            return 0;
    return 1;
}

#elif defined(__aarch64__)

extern unsigned long getauxval(unsigned long);

struct cpu {
    int unused;
};

static void begin(struct cpu *cpu)
{
    cpu->unused = 0;
}

static int has(struct cpu *cpu, const struct test *test)
{
    (void)cpu;
    return (getauxval(test->leaf) & test->mask) == test->mask;
}

static uint64_t saved_states(struct cpu *cpu)
{
    (void)cpu;
    return 0;
}

static int is_made_by(struct cpu *cpu, const char *vendor)
{
    (void)cpu, (void)vendor;
    return 1;
}

#else
#error "no way to ask this CPU"
#endif

static int runs(struct cpu *cpu, const struct copy *copy)
{
    uint32_t i;
    for (i = 0; i < copy->count; i++)
        if (!has(cpu, &copy->tests[i]))
            return 0;
    if (copy->vendor != NULL && !is_made_by(cpu, copy->vendor))
        return 0;
    return copy->states == 0 || (saved_states(cpu) & copy->states) == copy->states;
}

/* ---- the choice ---- */

/* Return which copies VARIANTBUILD_LEVEL allows, as bits; 0 for a value without meaning. */
static uint64_t allowed(const char *asked)
{
    size_t i;
    if (asked == NULL || *asked == 0)
        return ~(uint64_t)0;
    for (i = 0; i < sizeof accepted / sizeof *accepted; i++)
        if (same(accepted[i].name, asked))
            return accepted[i].mask;
    return 0;
}

/* Open `name`, relative to the directory of this file, which is the first `length` bytes of `own`.
 */
static void *open_beside(const char *own, size_t length, const char *name, int flags)
{
    char path[PATH_LIMIT];
    size_t i;
    for (i = 0; i < length; i++)
        path[i] = own[i];
    for (; *name && i < sizeof path - 1; i++)
        path[i] = *name++;
    if (*name)
        return NULL;
    path[i] = 0;
    return dlopen(path, flags);
}

static void *open_copy(const struct copy *copy, const char *own, size_t length, struct text *text)
{
    const char *const *library;
    const char *reason;
    void *handle = NULL;
    int flags = open_flags();
    for (library = copy->libraries; *library != NULL; library++)
        if ((handle = open_beside(own, length, *library, flags)) == NULL)
            break;
    if (*library == NULL)
        handle = open_beside(own, length, copy->file, flags);
    if (handle != NULL)
        return handle;
    reason = dlerror();
    add(text, text->size ? "; " : "");
    add(text, copy->label);
    add(text, ": ");
    add(text, reason != NULL ? reason : "its path is too long");
    return NULL;
}

static void *give_up(const char *own, const struct text *reasons)
{
    struct text text = { 0 };
    size_t i;
    add(&text, own);
    add(&text, " cannot load a copy of " VB_MODULE " for this CPU; it looked for");
    for (i = 0; i < COPY_COUNT; i++) {
        add(&text, i ? ", " : " ");
        add(&text, copies[i].file);
    }
    if (reasons->size) {
        add(&text, " (");
        add(&text, reasons->data);
        add(&text, ")");
    }
    return import_error(text.data);
}

static void *choose(void)
{
    struct info info = { 0 };
    struct cpu cpu;
    struct text reasons;
    const char *own = "", *asked = getenv("VARIANTBUILD_LEVEL");
    uint64_t mask = allowed(asked);
    size_t i, length = 0;
    reasons.size = 0;
    reasons.data[0] = 0;
    if (mask == 0) {
        struct text text = { 0 };
        add(&text, "VARIANTBUILD_LEVEL is '");
        add(&text, asked);
        add(&text, "', which is not a level of " VB_MODULE ": use " VB_NAMES);
        return import_error(text.data);
    }
    if (dladdr((const void *)table, &info) != 0 && info.file != NULL)
        own = info.file;
    for (i = 0; own[i] != 0; i++)
        if (own[i] == '/')
            length = i + 1;
    begin(&cpu);
    for (i = 0; i < COPY_COUNT; i++) {
        void *handle;
        if (!(mask >> i & 1) || !runs(&cpu, &copies[i]))
            continue;
        handle = open_copy(&copies[i], own, length, &reasons);
        if (handle == NULL)
            continue;
        if (reasons.size) {
            struct text text = { 0 };
            add(&text, VB_MODULE ": using the copy for ");
            add(&text, copies[i].label);
            add(&text, ", because a better one cannot be loaded (");
            add(&text, reasons.data);
            add(&text, ")");
            if (warn(text.data) < 0)
                return NULL;
        }
        return handle;
    }
    return give_up(own, &reasons);
}

static void *forward(const char *name)
{
    static void *chosen;
    void *handle = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    void *(*init)(void);
    if (handle == NULL) {
        handle = choose();
        if (handle == NULL)
            return NULL;
        __atomic_store_n(&chosen, handle, __ATOMIC_RELEASE);
    }
    init = (void *(*)(void))dlsym(handle, name);
    if (init == NULL) {
        struct text text = { 0 };
        add(&text, "the copy of " VB_MODULE " that was loaded has no function ");
        add(&text, name);
        return import_error(text.data);
    }
    return init();
}

#define EXPORT __attribute__((visibility("default")))
#define FORWARD(NAME)                                                                              \
    EXPORT void *NAME(void);                                                                       \
    EXPORT void *NAME(void)                                                                        \
    {                                                                                              \
        return forward(#NAME);                                                                     \
    }
VB_INITS(FORWARD)
