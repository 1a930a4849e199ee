"""Allocate and free through a pool."""

from cymem.cymem import Address, Pool

pool = Pool()
address = Address(10, 8)
assert pool.size == 0
assert address.addr
assert pool.own_pyref(pool) is None
