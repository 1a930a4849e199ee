.include "head.inc"
    ldapr w0,[x1]
    ldaprb w0,[x1]
