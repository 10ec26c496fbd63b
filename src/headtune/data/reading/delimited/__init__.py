"""Delimited text to records: how it is written, its header, its rows."""
