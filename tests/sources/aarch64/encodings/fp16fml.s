.include "head.inc"
    fmlal v0.4s,v1.4h,v2.4h
    fmlsl2 v0.4s,v1.4h,v2.4h
    fmlal v0.4s,v1.4h,v2.h[1]
