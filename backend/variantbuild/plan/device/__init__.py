"""Device code for GPUs: which, with which toolkit, and how each build system is told.

Nothing here is imported unless a project or a target names an accelerator.
"""
