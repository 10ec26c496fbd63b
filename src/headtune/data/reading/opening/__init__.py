"""From the name of a table to its bytes and lines."""
