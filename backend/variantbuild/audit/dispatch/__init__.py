"""Recognises dispatch checks: how code checks the CPU before it uses an instruction."""
