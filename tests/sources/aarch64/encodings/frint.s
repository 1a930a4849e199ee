.include "head.inc"
    frint32z s0,s1
    frint64x d0,d1
    frint64z v0.4s,v1.4s
