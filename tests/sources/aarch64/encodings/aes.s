.include "head.inc"
    aese v0.16b,v1.16b
    aesd v0.16b,v1.16b
    aesmc v0.16b,v1.16b
    aesimc v0.16b,v1.16b
