"""Machine code of files, read from bytes: formats, ELF structures, GPU code."""
