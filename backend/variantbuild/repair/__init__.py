"""From a wheel of this machine to one for others: libraries grafted, policy and variant in the tag.

fit.py        which policy the symbols of the files allow
musl.py       which musllinux policy, where none is named
graft.py      auditwheel, delocate and delvewheel, by their command lines
retag.py      which tags the repaired wheel gets
pipeline.py   all of it in order, for one wheel
"""
