"""Bundles wheels for several CPUs into one, whose modules choose a copy when they are loaded."""
