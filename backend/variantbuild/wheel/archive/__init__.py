"""The zip archive of a wheel, read entry by entry."""
