"""Any source to a ``Table``."""
