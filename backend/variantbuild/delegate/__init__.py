"""Runs the wrapped backend: loads it, passes it the variant's flags, and calls its hooks."""
