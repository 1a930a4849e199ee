.include "head.inc"
    ldapur w0,[x1,#4]
    stlurb w0,[x1,#3]
