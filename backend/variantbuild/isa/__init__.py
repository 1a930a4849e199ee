"""Instruction set architectures: machines, levels, CPUs and their features."""
