"""Finished wheels of sdists, kept for the next build that would come to the same bytes.

key.py         what a build depends on, as one digest
libraries.py   what a finished wheel links outside of itself
store.py       the entries on disk: found, verified, stored, evicted

Imported only where `build-cache` is on.
"""
