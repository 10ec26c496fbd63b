"""One token of the vocabulary for each label, to be answered by a language model.

A label is written as it is where that is one token, else with a space in front or other capitals,
else as its first token where no other label begins so, else as a letter, a digit, or any other
token that reads as text. ``--label-word spam=yes`` chooses by hand. Two labels never share a token
or a text.
"""

import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from headtune.errors import ExportError, option
from headtune.export.formats import WrittenWord
from headtune.files.strict_json import read_strict_json
from headtune.tokens import special_tokens
from headtune.types import LabelSet

__all__ = ["LABELS_FILE", "LabelWord", "choose_label_words", "read_label_words"]

LABELS_FILE = "labels.json"


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A label, the text of its token, and the token's id."""

    label: str
    word: str
    token_id: int


def choose_label_words(
    tokenizer: PreTrainedTokenizerBase,
    labels: LabelSet,
    asked: Sequence[str] = (),
    n_embeddings: int | None = None,
) -> list[LabelWord]:
    """The words, in the order of the labels; ``asked`` holds ``label=word``.

    Tokens beyond the ``n_embeddings`` that the model knows are left out.

    Raises ``ExportError`` where a word that was asked for is no single token, or where there are
    more labels than tokens.
    """
    vocabulary = _Vocabulary(tokenizer, n_embeddings)
    chosen = _asked_for(vocabulary, labels, asked)
    whole = {name: _spellings(name) for name in labels.names}
    first = _first_tokens(tokenizer, labels)
    for candidates in (whole, first):
        for name in labels.names:
            if name not in chosen:
                found = (vocabulary.single(text) for text in candidates.get(name, ()))
                _take(chosen, name, (token for token in found if token is not None))
    spare = vocabulary.spare()
    for name in labels.names:
        if name not in chosen and not _take(chosen, name, spare):
            raise ExportError(
                f"The run has {len(labels)} labels, and its tokenizer only {len(chosen)} tokens "
                "that read as text.",
                option="to",
                way_out=f"Use {option('to', 'onnx')}.",
            )
    return [LabelWord(name, chosen[name][1], chosen[name][0]) for name in labels.names]


def read_label_words(path: Path) -> list[LabelWord]:
    """The words of ``labels.json``."""
    values: dict[str, list[WrittenWord]] = read_strict_json(path)
    return [LabelWord(**row) for row in values["labels"]]


Token = tuple[int, str]
"""Id and text."""


def _asked_for(
    vocabulary: "_Vocabulary", labels: LabelSet, asked: Sequence[str]
) -> dict[str, Token]:
    chosen: dict[str, Token] = {}
    for item in asked:
        name, equals, word = item.rpartition("=")
        if not equals or name not in labels.names or not word.strip():
            raise ExportError(
                f"{option('label_word')} takes a label of the run and a word, such as "
                f"{labels.names[0]}=yes; received {item!r}.",
                option="label_word",
                way_out=f"Labels: {', '.join(labels.names)}.",
            )
        token = vocabulary.single(word) or vocabulary.single(" " + word)
        if token is None:
            pieces = vocabulary.tokenizer.tokenize(word)
            raise ExportError(
                f"{option('label_word', item)}: {word!r} is {len(pieces)} tokens of this tokenizer "
                f"({' '.join(pieces)}), and a label must be one.",
                option="label_word",
                way_out="Choose another word.",
            )
        if name in chosen or not _take(chosen, name, iter([token])):
            raise ExportError(
                f"{option('label_word', item)}: this label or word is named twice.",
                option="label_word",
            )
    return chosen


def _take(chosen: dict[str, Token], name: str, candidates: Iterator[Token]) -> bool:
    """Give a label the first candidate that no other label has."""
    taken = {part for token in chosen.values() for part in token}
    for token_id, text in candidates:
        if token_id not in taken and text not in taken:
            chosen[name] = (token_id, text)
            return True
    return False


def _spellings(name: str) -> list[str]:
    """Ways to write a label that a reader takes for it."""
    cased = dict.fromkeys((name, name.lower(), name.capitalize(), name.upper()))
    return [space + text for text in cased for space in ("", " ")]


def _first_tokens(
    tokenizer: PreTrainedTokenizerBase, labels: LabelSet
) -> Mapping[str, tuple[str, ...]]:
    """Label -> text of its first token, where it has two letters and no other label's is the same.

    Labels are told apart by what follows otherwise, which a first token does not show.
    """
    texts = {}
    for name in labels.names:
        ids = tokenizer(name, add_special_tokens=False)["input_ids"]
        texts[name] = tokenizer.decode(ids[:1]).strip() if ids else ""
    shared = Counter(texts.values())
    return {
        name: (text, " " + text)
        for name, text in texts.items()
        if len(text) > 1 and text.isalnum() and shared[text] == 1
    }


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """The tokens that can stand for a label: those that can be read, and that the model has."""

    tokenizer: PreTrainedTokenizerBase
    n_embeddings: int | None

    def single(self, text: str) -> Token | None:
        """The token that a text is, if it is one."""
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._readable(ids[0]) if len(ids) == 1 else None

    def _readable(self, token_id: int) -> Token | None:
        """None for special tokens, white space, and bytes that are no text of their own."""
        text: str = self.tokenizer.decode([token_id])
        special = token_id in {*self.tokenizer.all_special_ids, *special_tokens(self.tokenizer)}
        known = self.n_embeddings is None or token_id < self.n_embeddings
        can_be_read = known and not special and text.strip() and text.isprintable()
        return (token_id, text) if can_be_read else None

    def spare(self) -> Iterator[Token]:
        """Letters, digits, then whatever the vocabulary has, in the order of its ids."""
        for character in string.ascii_uppercase + string.digits:
            if token := self.single(character):
                yield token
        for token_id in range(len(self.tokenizer)):
            token = self._readable(token_id)
            if token is not None and token[1].isascii():
                yield token
