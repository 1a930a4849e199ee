.include "head.inc"
    retaa
    braa x0,x1
    blraaz x3
    ldraa x0,[x1,#8]
    pacia x0,x1
    pacga x0,x1,x2
