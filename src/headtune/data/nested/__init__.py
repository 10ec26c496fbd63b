"""Fields inside of columns: records in records, conversations, JSON written as text."""
