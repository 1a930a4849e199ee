.include "head.inc"
    cfinv
    rmif x0,#3,#5
    setf8 w0
