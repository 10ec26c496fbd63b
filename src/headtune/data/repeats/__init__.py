"""Which rows are the same text, or nearly."""
