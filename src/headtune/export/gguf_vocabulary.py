"""A tokenizer as llama.cpp knows them: its vocabulary, and how a text is cut and merged.

Two kinds are written. Of byte-level BPE, llama.cpp has to know by name how texts are cut before
merging. Of SentencePiece's BPE with bytes for what it lacks (Llama 2, Gemma), it merges whichever
two neighbours make the token with the highest score, whatever the two are; so scores are the ranks
of the merges, and a tokenizer whose merges are not all that its vocabulary allows, or not in the
order of what they make, is refused. Anything else is refused, too, with the reason.

llama.cpp's programs look for special tokens in a prompt by their names. Where the run reads them as
text, they have no names there, so that whatever a program is told, text is text.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gguf
from transformers import PreTrainedTokenizerBase

from headtune.errors import ExportError, option
from headtune.files.plain_json import JsonObject
from headtune.tokens import special_tokens

__all__ = ["BY_LLAMA_CPP", "Vocabulary", "find_vocabulary"]

BY_LLAMA_CPP = f"Use {option('to', 'causal-lm')} and llama.cpp's own converter."
"""The way out for all that is not written here."""

SPACE = "\u2581"
"""What SentencePiece writes for a space."""
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))

Steps = list[JsonObject]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What llama.cpp is told of a tokenizer.

    Attributes:
        model: llama.cpp's name of the kind: "gpt2" merges by rank, "llama" by score.
        cut: Its name of the way to cut texts before merging.
        prefix: Whether a space is put before a text, of the kind "llama".
        merges: Pairs in the order of merging.
        exceptions: Which texts llama.cpp cuts otherwise all the same, in a sentence.
    """

    tokenizer: PreTrainedTokenizerBase
    model: str
    cut: str
    prefix: bool
    merges: tuple[tuple[str, str], ...]
    exceptions: str = ""

    def write(self, writer: Any, n_rows: int) -> None:
        """Tokens by id with their kinds, ``n_rows`` in all; rows without a name are unused."""
        tokens, kinds = self._tokens(n_rows)
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.cut)
        writer.add_token_list(tokens)
        if self.model == "llama":
            writer.add_token_scores(_scores(tokens, self.merges))
            writer.add_add_space_prefix(self.prefix)
        writer.add_token_types(kinds)
        if self.model == "gpt2":
            writer.add_token_merges([" ".join(pair) for pair in self.merges])
        begin, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        if begin is not None:
            writer.add_bos_token_id(begin)
        if end is not None:
            writer.add_eos_token_id(end)
        alone = self.tokenizer("a")["input_ids"]
        writer.add_add_bos_token(begin is not None and alone[0] == begin)
        writer.add_add_eos_token(end is not None and alone[-1] == end)

    def _tokens(self, n_rows: int) -> tuple[list[str], list[gguf.TokenType]]:
        by_id = {token_id: token for token, token_id in self.tokenizer.get_vocab().items()}
        added = self.tokenizer.added_tokens_decoder
        if self.tokenizer.split_special_tokens:
            for token_id in special_tokens(self.tokenizer):
                by_id.pop(token_id, None)
        bytes_by_name = set(BYTES) if self.model == "llama" else set()
        tokens, kinds = [], []
        for token_id in range(n_rows):
            token = by_id.get(token_id, f"[PAD{token_id}]")
            kind = gguf.TokenType.NORMAL if token_id in by_id else gguf.TokenType.UNUSED
            if token_id in added and token_id in by_id:
                special = added[token_id].special
                kind = gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED
            elif token in bytes_by_name:
                kind = gguf.TokenType.BYTE
            tokens.append(token)
            kinds.append(kind)
        return tokens, kinds


def find_vocabulary(tokenizer: PreTrainedTokenizerBase) -> Vocabulary:
    """What to tell llama.cpp. Raises ``ExportError`` where it cannot be told."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    values = json.loads(backend.to_str()) if backend is not None else {"model": {}}
    model = values["model"]
    if model.get("type") == "BPE":
        merges = tuple(_pair(merge) for merge in model["merges"])
        if (cut := _cut_of_bytes(values)) is not None:
            return Vocabulary(tokenizer, "gpt2", cut, False, merges)
        if (space := _space_before(values)) is not None:
            _require_scores_to_do(merges, model["vocab"], tokenizer.added_tokens_encoder)
            return Vocabulary(tokenizer, "llama", "default", space.always, merges, space.exceptions)
    before = ", ".join(_kinds(_steps(values["pre_tokenizer"]))) if "pre_tokenizer" in values else ""
    raise ExportError(
        f"{option('to', 'gguf')} writes byte-level BPE tokenizers that cut texts as GPT-2, SmolLM, "
        "Llama 3 or Qwen 2 do, and SentencePiece's BPE as in Llama 2 and Gemma; this one is "
        f"{model.get('type')} with {before or 'nothing'} before.",
        option="to",
        way_out=BY_LLAMA_CPP,
    )


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _steps(step: JsonObject | None, inner: str = "pretokenizers") -> Steps:
    """The steps of a sequence, or of one alone, or of none."""
    if not step:
        return []
    found: Steps = step.get(inner, [step])
    return found


def _kinds(steps: Steps) -> list[str]:
    return [step["type"] for step in steps]


# ---- Byte-level BPE ----------------------------------------------------------------------------

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|{digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""What Llama 3 and Qwen 2 split by, but for their digits."""

CUTS: dict[str, Callable[[Steps], bool]] = {
    "gpt-2": lambda steps: _kinds(steps) == ["ByteLevel"] and steps[0].get("use_regex", True),
    "smollm": lambda steps: (
        _kinds(steps) == ["Digits", "ByteLevel"]
        and steps[0]["individual_digits"]
        and steps[1].get("use_regex", True)
    ),
    "llama-bpe": lambda steps: _is_split(steps, r"\p{N}{1,3}"),
    "qwen2": lambda steps: _is_split(steps, r"\p{N}"),
}
"""llama.cpp's name for a way to cut texts before merging -> whether a tokenizer has it."""


def _is_split(steps: Steps, digits: str) -> bool:
    if _kinds(steps) != ["Split", "ByteLevel"]:
        return False
    return bool(steps[0]["pattern"].get("Regex") == SPLIT.replace("{digits}", digits))


def _cut_of_bytes(values: JsonObject) -> str | None:
    """llama.cpp's name for the way, or None."""
    steps = _steps(values.get("pre_tokenizer"))
    normal = values.get("normalizer")
    if any(step.get("add_prefix_space") for step in steps):
        return None
    if normal is not None and normal["type"] != "NFC":
        return None
    return next((name for name, fits in CUTS.items() if fits(steps)), None)


# ---- SentencePiece's BPE ------------------------------------------------------------------------

REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
PREPEND = {"type": "Prepend", "prepend": SPACE}


@dataclass(frozen=True, slots=True)
class SpaceBefore:
    """Whether llama.cpp is to put a space before each text, and where that is not as here."""

    always: bool
    exceptions: str = ""


UNLESS_THERE = SpaceBefore(
    True,
    "llama.cpp puts a space before every text; the tokenizer puts none before one that begins with "
    "a space, or behind a special token that acts as such: such texts are answered differently.",
)
METASPACE = {"never": SpaceBefore(False), "first": UNLESS_THERE, "always": UNLESS_THERE}


def _space_before(values: JsonObject) -> SpaceBefore | None:
    """Where a space goes before a text; None for tokenizers of another kind."""
    model = values["model"]
    if not model.get("byte_fallback") or not all(name in model["vocab"] for name in BYTES):
        return None
    normal = _steps(values.get("normalizer"), "normalizers")
    steps = _steps(values.get("pre_tokenizer"))
    if _kinds(steps) == ["Metaspace"] and not normal:
        step = steps[0]
        plain = step["replacement"] == SPACE and not step["split"]
        return METASPACE.get(step["prepend_scheme"]) if plain else None
    # Behind the normalizer no text has a space, so a split at spaces splits nothing.
    splits = [step for step in steps if step != _at_spaces(step)]
    if not splits and normal in ([REPLACE], [PREPEND, REPLACE]):
        return SpaceBefore(len(normal) == 2)
    return None


def _at_spaces(step: JsonObject) -> JsonObject:
    """What this step would be if it split at spaces."""
    return step | {"type": "Split", "pattern": {"String": " "}}


def _require_scores_to_do(
    merges: Sequence[tuple[str, str]], vocabulary: Mapping[str, int], added: Collection[str]
) -> None:
    """Raise ``ExportError`` unless merging by the score of what is made merges by rank."""
    made: set[str] = set()
    last = None
    for left, right in merges:
        if left + right != last:
            last = left + right
            if last in made:
                raise ExportError(
                    f"This tokenizer ranks the ways to make {last!r} apart from each other, and "
                    "llama.cpp merges by what is made.",
                    option="to",
                    way_out=BY_LLAMA_CPP,
                )
            made.add(last)
    known = set(merges)
    for token in vocabulary.keys() - set(added):
        for cut in range(1, len(token)):
            pair = token[:cut], token[cut:]
            if pair not in known and pair[0] in vocabulary and pair[1] in vocabulary:
                raise ExportError(
                    f"This tokenizer does not merge {pair[0]!r} and {pair[1]!r}, and llama.cpp "
                    f"would, since {token!r} is a token.",
                    option="to",
                    way_out=BY_LLAMA_CPP,
                )


def _scores(tokens: Sequence[str], merges: Sequence[tuple[str, str]]) -> list[float]:
    """The earlier a token is made, the higher; those that no merge makes are never looked up."""
    order = {made: rank for rank, made in enumerate(dict.fromkeys(a + b for a, b in merges))}
    return [float(-order.get(token, len(order))) for token in tokens]
