#include "level.h"

extern "C" const char *helper_level(void) { return LEVEL; }
