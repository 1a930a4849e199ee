.include "head.inc"
    sha1c q0,s1,v2.4s
    sha1m q0,s1,v2.4s
    sha1su0 v0.4s,v1.4s,v2.4s
    sha1h s0,s1
    sha1su1 v0.4s,v1.4s
