"""Frozen layers run once: what they gave is kept, in memory and on disk."""
