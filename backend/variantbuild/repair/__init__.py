"""From a wheel of this machine to one for others: libraries grafted, policy and variant in the tag.

policy.py   which symbol versions and libraries a manylinux policy has (PEP 600)
fit.py      which policy the symbols of the files allow
musl.py     which musllinux policy, where nobody names one
linked.py   what the ELF files of a wheel link
graft.py    auditwheel, delocate and delvewheel, by their command lines
naming.py   which tags the repaired wheel gets
wheel.py    all of it in order, for one wheel
"""
