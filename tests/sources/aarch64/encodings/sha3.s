.include "head.inc"
    eor3 v0.16b,v1.16b,v2.16b,v3.16b
    rax1 v0.2d,v1.2d,v2.2d
    xar v0.2d,v1.2d,v2.2d,#3
    bcax v0.16b,v1.16b,v2.16b,v3.16b
