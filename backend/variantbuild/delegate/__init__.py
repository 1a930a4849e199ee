"""Runs the wrapped backend: loads it, hands it the variant's flags, and calls its hooks."""
