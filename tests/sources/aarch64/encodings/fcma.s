.include "head.inc"
    fcmla v0.4s,v1.4s,v2.4s,#90
    fcadd v0.4s,v1.4s,v2.4s,#90
    fcmla v0.4s,v1.4s,v2.s[1],#90
