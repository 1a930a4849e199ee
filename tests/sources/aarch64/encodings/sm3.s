.include "head.inc"
    sm3ss1 v0.4s,v1.4s,v2.4s,v3.4s
    sm3tt1a v0.4s,v1.4s,v2.s[1]
    sm3partw1 v0.4s,v1.4s,v2.4s
