"""Rows as callers send them: what a field may be, and what is wrong with one that is not."""
