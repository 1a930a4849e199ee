"""Decides what a machine can run, and why it cannot run the rest."""
