"""The same products with less work around them: packed, fused or 8-bit weights."""
