#include "choice.inc"
#include "start.inc"
