"""Platform tags: plain platforms, variants in them, manylinux policies."""
