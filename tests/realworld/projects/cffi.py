"""Call the C library."""

import cffi

ffi = cffi.FFI()
ffi.cdef("int abs(int);")
assert ffi.dlopen(None).abs(-7) == 7
assert ffi.sizeof("int[5]") == 20
