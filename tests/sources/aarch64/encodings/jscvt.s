.include "head.inc"
    fjcvtzs w0,d1
