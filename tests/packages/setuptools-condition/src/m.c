#include "a_header_that_nobody_has.h"
