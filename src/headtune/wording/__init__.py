"""Numbers, tables and commands as people read them."""
