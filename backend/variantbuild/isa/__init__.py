"""Instruction set architectures: machines, levels, processors and their features."""
