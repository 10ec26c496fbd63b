"""Attention over packed sequences: one call, several kernels."""
