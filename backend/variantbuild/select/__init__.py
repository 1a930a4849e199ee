"""Which variant a machine can run, and which wheel fits it best."""
