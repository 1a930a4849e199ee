"""From a variant and the compilers to the switches that build it."""
