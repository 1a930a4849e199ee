.include "head.inc"
    irg x0,x1,x2
    addg x0,x1,#16,#1
    stg x0,[x1]
