.include "head.inc"
    axflag
    xaflag
