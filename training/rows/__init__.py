"""Rows: files and parts as people have them, read, checked, cleaned and split."""
