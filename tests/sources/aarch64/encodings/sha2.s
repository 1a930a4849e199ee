.include "head.inc"
    sha256h q0,q1,v2.4s
    sha256su0 v0.4s,v1.4s
    sha256su1 v0.4s,v1.4s,v2.4s
