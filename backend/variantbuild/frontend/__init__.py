"""Who asks for the wheel: which front end is at work, and what it accepts."""
