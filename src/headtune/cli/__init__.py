"""The command line: ``headtune train``, ``headtune predict``, ``headtune evaluate``."""
