"""Detects which front end builds the wheel, and which version and tags it accepts."""
