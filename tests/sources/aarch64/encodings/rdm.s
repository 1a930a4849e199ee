.include "head.inc"
    sqrdmlah v0.4s,v1.4s,v2.4s
    sqrdmlsh h0,h1,h2
    sqrdmlah v0.4s,v1.4s,v2.s[1]
