"""JSON and JSON Lines, in the shapes that people have, to ``Table``."""
