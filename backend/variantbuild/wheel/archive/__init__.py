"""Reads the zip archive of a wheel entry by entry."""
