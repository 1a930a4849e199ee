"""Platform tags: plain platforms, variants in tags, and manylinux policies."""
