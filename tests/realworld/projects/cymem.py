"""Allocate and free through a pool."""

import cymem
from cymem import cymem as compiled

pool = compiled.Pool()
address = compiled.Address(10, 8)
assert pool.size == 0
assert address.addr
assert cymem.Pool is compiled.Pool
