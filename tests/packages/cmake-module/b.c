int value_b(void) { return 1; }
