"""A changed copy of a wheel: what to write, in which pieces, and how it reaches the disk."""
