"""Hash a password."""

from _argon2_cffi_bindings import ffi, lib

out = ffi.new("uint8_t[]", 32)


def hash_once(memory: int) -> int:
    return lib.argon2_hash(
        2, memory, 1, b"password", 8, b"somesalt", 8, out, 32, ffi.NULL, 0, 2, 0x13
    )


assert hash_once(1 << 16) == lib.ARGON2_OK
assert bytes(out).hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def loop() -> None:
    hash_once(1 << 14)
