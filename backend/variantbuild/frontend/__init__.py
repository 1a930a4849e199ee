"""Which front end is building the wheel, and which version and tags it accepts."""
