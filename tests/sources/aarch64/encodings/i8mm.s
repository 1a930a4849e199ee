.include "head.inc"
    smmla v0.4s,v1.16b,v2.16b
    usmmla v0.4s,v1.16b,v2.16b
    usdot v0.4s,v1.16b,v2.16b
    sudot v0.4s,v1.16b,v2.4b[1]
    usdot v0.4s,v1.16b,v2.4b[2]
    usdot z0.s,z1.b,z2.b
    smmla z0.s,z1.b,z2.b
