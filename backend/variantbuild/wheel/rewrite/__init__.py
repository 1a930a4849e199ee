"""Writes a changed copy of a wheel: the edit, the pieces to copy, and the atomic replacement."""
