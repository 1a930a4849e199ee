.include "head.inc"
    sm4e v0.4s,v1.4s
    sm4ekey v0.4s,v1.4s,v2.4s
