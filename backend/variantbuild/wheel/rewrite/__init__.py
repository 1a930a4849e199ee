"""Writes a changed copy of a wheel: planning the edit, copying, and atomic replacement."""
