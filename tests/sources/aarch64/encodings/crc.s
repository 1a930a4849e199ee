.include "head.inc"
    crc32b w0,w1,w2
    crc32cx w0,w1,x2
