"""Plans device code for GPUs: accelerator, toolkit, architectures and flags.

Imported only if a project or a target names an accelerator.
"""
