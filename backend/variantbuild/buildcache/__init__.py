"""Keeps finished wheels of sdists for the next build that would produce the same bytes.

key.py         everything that a build depends on, as one digest
installed.py   the distributions that a build can import
surroundings.py  headers, libraries and packages of the machine
libraries.py   the libraries that a finished wheel links to and does not contain
store.py       the entries on disk: find, verify, store, evict
use.py         the cache around one build
refused.py     wheels that were built and refused, for the same build under another policy
snapshot.py    the files of a source tree before and after a build
walk.py        the files below a directory, cheaply

The cache around a build is imported only if `build-cache` is on.
"""
