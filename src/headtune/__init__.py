"""headtune turns any pretrained language model into a text classifier."""
