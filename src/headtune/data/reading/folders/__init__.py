"""Folders, and archives of them: which files are what, and their tables."""
