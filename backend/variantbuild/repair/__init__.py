"""Makes wheels portable: grafted libraries, policy and variant in the tags.

fit.py        which policy the symbols of the files allow
musl.py       which musllinux policy, if none is named
graft.py      auditwheel, delocate and delvewheel, by their command lines
retag.py      which tags the repaired wheel gets
pipeline.py   all steps in order, for one wheel
"""
