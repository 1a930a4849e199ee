int value_a(void) { return 1; }
