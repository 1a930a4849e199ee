.include "head.inc"
    casal w0,w1,[x2]
    ldaddal x0,x1,[x2]
    swpb w0,w1,[x2]
    caspal x0,x1,x2,x3,[x4]
    stclr w0,[x1]
