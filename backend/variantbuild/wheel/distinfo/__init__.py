"""The dist-info directory of a wheel: METADATA, WHEEL, RECORD and entry points."""
