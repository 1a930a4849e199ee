int popcount(unsigned long x) { return __builtin_popcountl(x); }
