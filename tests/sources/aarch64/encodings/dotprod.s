.include "head.inc"
    sdot v0.4s,v1.16b,v2.16b
    udot v0.2s,v1.8b,v2.8b
    sdot v0.4s,v1.16b,v2.4b[1]
