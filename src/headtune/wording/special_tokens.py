"""How special tokens in a text are read, in the one sentence that all pages say it by."""

__all__ = ["special_tokens_sentence"]


def special_tokens_sentence(split: bool) -> str:
    """``split`` says whether they are read as the text they are."""
    if split:
        return "Special tokens that are written out in a text are read as text."
    return "Special tokens that are written out in a text act as such, and can move the answer."
