"""Reads binary files: formats, ELF structures and GPU code."""
