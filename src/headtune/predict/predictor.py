"""Texts to labels and probabilities, with a classifier that is in memory.

The same packed inference as in training and evaluation: texts go longest first under the token
budget, and the answers come back in the caller's order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from headtune.artifact import LoadedArtifact, load_artifact
from headtune.errors import PredictionError, option
from headtune.model import PackingOnDemand, SequenceClassifier, predict_logits, quantize
from headtune.options import DataConfig, MachineConfig
from headtune.predict.fields import Text, texts_through
from headtune.progress import Progress, SilentProgress
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.conformal import SetRule, chances_of
from headtune.tasks.decision import DecisionRule, RuleChanges
from headtune.tasks.task import Bools, Decisions, Probabilities
from headtune.tokens import embedding_size, encode_texts
from headtune.types import LabelSet, Prediction, TokenizedExample
from headtune.wording.text_lists import HALF_PAIR, has_half_pair, shortened

__all__ = ["Predictor"]

ONE_TEXT = 1
"""A budget of tokens that no second text fits into."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A classifier, its tokenizer and its labels.

    ``text_column``, ``label_column`` and ``template`` are those of the training table, tried
    first when a table is predicted; ``missing`` are the words that stood for no value there. Logits
    are divided by ``temperature`` before they become probabilities, ``rule`` makes answers of
    these, and ``set_rule``, where there is one, sets of labels. ``note`` is one line that a user
    should read, or empty. From the third short text alone, weights are ``packing`` for such.
    ``exact`` answers are the same to the last bit in any company: each text has a pass of its own,
    by the plain weights. Threads may share one predictor; their passes take turns.
    """

    classifier: SequenceClassifier
    tokenizer: PreTrainedTokenizerBase
    labels: LabelSet
    max_length: int
    max_tokens_per_batch: int
    text_column: str | None = None
    label_column: str | None = None
    template: str | None = None
    missing: tuple[str, ...] = ()
    temperature: float = 1.0
    rule: DecisionRule = DecisionRule()  # noqa: RUF009 (frozen)
    set_rule: SetRule | None = None
    note: str = ""
    task: Task = SINGLE_LABEL
    exact: bool = False
    packing: PackingOnDemand = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "packing", PackingOnDemand(self.classifier))

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> "Predictor":
        """The classifier of a run folder.

        ``options`` are fields of ``MachineConfig``, and ``model``, where the base model is found if
        it has moved. Raises ``ArtifactError`` and ``ModelError``.
        """
        model = options.pop("model", None)
        machine = MachineConfig(**options)
        predictor = replace(
            cls.of(load_artifact(path, model=model, options=machine)), exact=machine.exact
        )
        return predictor.in_int8() if machine.compute == "int8" else predictor

    @classmethod
    def of(cls, artifact: LoadedArtifact) -> "Predictor":
        """The predictor of a loaded run."""
        manifest = artifact.manifest
        return cls(
            classifier=artifact.classifier,
            tokenizer=artifact.tokenizer,
            labels=artifact.labels,
            max_length=manifest.max_length,
            max_tokens_per_batch=artifact.max_tokens_per_batch,
            text_column=manifest.text_column,
            label_column=manifest.label_column,
            template=manifest.template,
            missing=manifest.missing,
            temperature=manifest.temperature,
            rule=DecisionRule(manifest.thresholds, manifest.abstain_below),
            set_rule=manifest.set_rule,
            task=artifact.task,
        )

    def deciding(self, changes: RuleChanges) -> "Predictor":
        """The same with another rule: ``thresholds``, ``abstain_below``, or both replaced.

        Raises ``ConfigError`` on a label that the classifier does not have.
        """
        return replace(self, rule=replace(self.rule, **changes).check(self.labels))

    def reading(self, data: DataConfig) -> DataConfig:
        """How to read a table: as in training, unless ``data`` says otherwise.

        A first line that holds the columns of training is a header, whatever stands below it.
        """
        data = replace(data, missing=data.missing or self.missing)
        data = data.knowing(self.text_column, self.label_column)
        if self.template is not None and data.text is None and data.template is None:
            return replace(data, template=self.template)
        return data

    def in_int8(self) -> "Predictor":
        """This predictor with its classifier quantized, in place; ``note`` says what is gained.

        Raises ``ModelError`` where that cannot be done.
        """
        product = quantize(self.classifier)
        return replace(self, note=product.sentence(self.classifier.compute_dtype))

    @property
    def budget(self) -> int:
        """Most tokens in one forward pass."""
        return ONE_TEXT if self.exact else self.max_tokens_per_batch

    def predict_proba(
        self,
        texts: Iterable[Text],
        progress: Progress | None = None,
    ) -> Probabilities:
        """Probabilities, shape ``(n_texts, n_labels)``, rows adding up to one.

        Where the classifier was trained on a template of several columns, a text is a dict with
        their values (fields.py).

        Raises ``PredictionError`` on a text that is empty, no string or not what the template asks
        for, ``DataError`` on what is no list of texts.
        """
        return self.probabilities(self.encode(self.whole(texts)), progress)

    def whole(self, texts: Iterable[Text]) -> list[str]:
        """Each text as the classifier was trained on them, through its template."""
        return texts_through(self.template, texts, self.missing)

    def encode(self, texts: Sequence[str]) -> list[TokenizedExample]:
        """Whole texts as token ids, numbered from 1. Raises ``PredictionError``."""
        for number, text in enumerate(texts, start=1):
            if not isinstance(text, str) or not text.strip():
                raise PredictionError(
                    f"Text {number} of {len(texts)} is empty or no string: {text!r}.",
                    row=number,
                    way_out="Leave such texts out.",
                )
            if has_half_pair(text):
                raise PredictionError(
                    f"Text {number} of {len(texts)} holds {HALF_PAIR}: {shortened(ascii(text))}.",
                    row=number,
                    way_out="Mend it where it was cut in two, or give it in UTF-8.",
                )
        return self.tokenize(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedExample]:
        """The same of strings, empty ones too. Raises ``TokenizationError``."""
        n_embeddings = embedding_size(self.classifier.backbone.config)
        return encode_texts(texts, self.tokenizer, self.max_length, n_embeddings=n_embeddings)

    def probabilities(
        self,
        examples: Sequence[TokenizedExample],
        progress: Progress | None = None,
    ) -> Probabilities:
        """``predict_proba`` of texts that are encoded already."""
        if not self.exact:
            self.packing.hear(sum(map(len, examples)))
        progress = progress or SilentProgress()
        logits = predict_logits(self.classifier, examples, self.budget, progress)
        return self.task.probabilities(logits, self.temperature)

    def predict(self, texts: Iterable[Text]) -> list[Prediction]:
        """The answer for each text, with all probabilities. Raises as ``predict_proba`` does."""
        examples = self.encode(self.whole(texts))
        probabilities = self.probabilities(examples)
        answers = self.task.answers(self.rule, probabilities, self.labels)
        if self.set_rule is None:
            return answers
        sets = self.sets(probabilities, examples)
        return [
            replace(answer, label_set=tuple(names))
            for answer, names in zip(answers, self.named_sets(sets), strict=True)
        ]

    def decide(self, probabilities: Probabilities) -> Decisions:
        """The answers that probabilities lead to, as the task has them."""
        return self.task.decide_by(self.rule, probabilities, self.labels)

    def sets(self, probabilities: Probabilities, examples: Sequence[TokenizedExample]) -> Bools:
        """Which labels are in the set of each text, ``(n, n_labels)``.

        Raises ``PredictionError`` where the run was trained without a coverage.
        """
        if self.set_rule is None:
            raise PredictionError(
                "This classifier has no sets of labels: it was trained without a coverage.",
                option="coverage",
                way_out=f"Train it with {option('coverage', 0.95)}.",
            )
        return self.task.sets(self.set_rule, probabilities, chances_of(examples))

    def named_sets(self, sets: Bools) -> list[list[str]]:
        """The labels of each set by name, in the order of the labels."""
        return [self.labels.decode(np.flatnonzero(row)) for row in sets]
