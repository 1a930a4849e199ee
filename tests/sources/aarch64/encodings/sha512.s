.include "head.inc"
    sha512h q0,q1,v2.2d
    sha512h2 q0,q1,v2.2d
    sha512su0 v0.2d,v1.2d
    sha512su1 v0.2d,v1.2d,v2.2d
