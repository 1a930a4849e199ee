"""How code asks the processor before it uses an instruction."""
