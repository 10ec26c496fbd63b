"""Options of tokenizing: how texts become token ids."""

from dataclasses import dataclass

from headtune.options.ranges import check_at_least

__all__ = ["TokensConfig"]


@dataclass(frozen=True, kw_only=True)
class TokensConfig:
    """How texts become token ids."""

    max_length: int | None = None
    """Tokens of a text that are read; the rest is cut off, and counted. By default the model's
    context length, at most 2,048."""

    split_special_tokens: bool = True
    """Read special tokens that are written out in a text (<|im_end|>, [SEP]) as the text they are.
    Otherwise they act as they do between the turns of a chat, and anybody who writes one can move
    the answer: only for texts that are such markup on purpose."""

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_length")
