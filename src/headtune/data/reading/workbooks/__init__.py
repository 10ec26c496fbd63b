"""Workbooks to records: a sheet is found, and read in a process of its own."""
