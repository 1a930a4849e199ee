extern int sums_(void);
#define MODULE "flagged_f"
#define INIT PyInit_flagged_f
#define EXTRA sums_()
#include "module.inc"
