.include "head.inc"
    pmull v0.1q,v1.1d,v2.1d
    pmull2 v0.1q,v1.2d,v2.2d
