"""Arrow data, in types that the stages can work with, to ``Table``."""
