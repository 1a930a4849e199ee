.include "head.inc"
    sb
