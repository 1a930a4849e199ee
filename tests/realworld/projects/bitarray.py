"""Count, combine and search bits."""

import bitarray.util
from bitarray import _bitarray, _util
from bitarray import bitarray as bits

assert _bitarray.bitarray is bits
assert _util.count_xor
word = bits("1011") * 1000
assert word.count() == 3000
assert (word ^ word).count() == 0
assert bitarray.util.count_and(word, word) == 3000
assert word.find(bits("0000")) == -1
BIG = bits("1100101") * 500_000
OTHER = bits("1010011") * 500_000


def loop() -> None:
    bitarray.util.count_xor(BIG, OTHER)
    (BIG & OTHER).count()
