"""What the pipeline hands on: encoded parts, and the fitted classifier with its measurements."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from headtune.artifact import ArtifactContents, BaseModel, Manifest
from headtune.model import (
    Compute,
    KeptTexts,
    ParameterCounts,
    SequenceClassifier,
    peak_memory_bytes,
    rate_and_share,
    useful_flops_per_token,
)
from headtune.options import RunConfig
from headtune.predict import Predictor
from headtune.pretrained import PretrainedFolder, weights_sha256
from headtune.report.entries import Speed
from headtune.report.evidence import Measured
from headtune.report.frozen_states import FrozenStates
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.conformal import chances_of
from headtune.tasks.figures import PartMetrics
from headtune.tasks.settle import Settled
from headtune.tasks.task import Probabilities
from headtune.tokens import TokenCounts
from headtune.training import FitResult
from headtune.types import LabelSet, PreparedData, TokenizedExample

__all__ = ["Encoded", "Fitted", "Logits"]

Logits: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Stage 2's result: the tokenizer, the three parts as token ids, and what was cut."""

    folder: PretrainedFolder
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    parts: dict[str, list[TokenizedExample]]
    counts: dict[str, TokenCounts]
    n_beyond: int = 0
    """Tokens of the tokenizer that the model's embedding has no row for."""

    @property
    def examples(self) -> list[TokenizedExample]:
        """Those of all parts, in order."""
        return [example for part in self.parts.values() for example in part]

    def with_kept(self, examples: Sequence[TokenizedExample]) -> "Encoded":
        """The same parts made of ``examples``, which come in the order of ``self.examples``."""
        rest = iter(examples)
        parts = {name: list(islice(rest, len(part))) for name, part in self.parts.items()}
        return replace(self, parts=parts)

    @property
    def truncated(self) -> dict[str, int]:
        """Texts of all parts that were cut, by label."""
        names = {name for counts in self.counts.values() for name in counts.truncated_texts}
        return {
            name: sum(counts.truncated_texts.get(name, 0) for counts in self.counts.values())
            for name in sorted(names)
        }


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained classifier, and all that was measured on the way.

    ``before`` and ``after`` hold the metrics of validation and test, None for an empty part;
    ``logits_before`` and ``logits`` what they were made from, part -> ``(n, n_labels)``, empty
    parts left out. ``repr``, which notebooks ask for, leaves out what fills pages.
    """

    config: RunConfig
    labels: LabelSet
    encoded: Encoded = field(repr=False)
    compute: Compute
    classifier: SequenceClassifier = field(repr=False)
    parameters: ParameterCounts
    result: FitResult
    before: PartMetrics
    after: PartMetrics
    seconds: dict[str, float]
    logits_before: dict[str, Logits] = field(repr=False)
    logits: dict[str, Logits] = field(repr=False)
    settled: Settled
    frozen: FrozenStates | None = field(repr=False)
    kept: KeptTexts | None = field(default=None, repr=False)
    """Where the frozen layers ran once: how many texts they ran over."""

    task: Task = SINGLE_LABEL

    def predictor(self) -> Predictor:
        """The classifier as it is in memory, ready for texts."""
        return Predictor(
            classifier=self.classifier,
            tokenizer=self.encoded.tokenizer,
            labels=self.labels,
            max_length=self.encoded.max_length,
            max_tokens_per_batch=self.result.max_tokens_per_batch,
            temperature=self.settled.temperature,
            rule=self.settled.rule,
            set_rule=self.settled.sets,
            task=self.task,
        )

    def base_model(self) -> BaseModel:
        """The pretrained model as the manifest names it: by a name that finds it again."""
        folder, random = self.encoded.folder, self.config.model.random_weights
        is_path = Path(folder.name).expanduser().exists()
        return BaseModel(
            name=str(Path(folder.name).expanduser().resolve()) if is_path else folder.name,
            revision=folder.revision,
            sha256="" if random else weights_sha256(folder.path),
            model_type=self.classifier.backbone.config.model_type,
        )

    def contents(self, manifest: Manifest, probe_texts: list[str]) -> ArtifactContents:
        """What ``save_artifact`` needs of it."""
        return ArtifactContents(
            classifier=self.classifier,
            tokenizer=self.encoded.tokenizer,
            labels=self.labels,
            tune=self.config.tune,
            machine=self.config.machine,
            manifest=manifest,
            probe_texts=probe_texts,
            task=self.task,
        )

    def manifest(self) -> Manifest:
        """What the classifier itself knows; the caller adds data and metrics."""
        plain, sets = self.config.to_dict(), self.settled.sets
        return Manifest(
            labels=self.labels.names,
            label_values=self.labels.own_values or None,
            base_model=self.base_model(),
            tune=plain["tune"],
            pooling=self.config.model.pooling,
            attention=self.config.model.attention,
            max_length=self.encoded.max_length,
            split_special_tokens=self.config.tokens.split_special_tokens,
            dtype=self.compute.dtype_name,
            packs=self.classifier.packs,
            temperature=self.settled.temperature,
            thresholds=self.settled.rule.thresholds,
            abstain_below=self.settled.rule.abstain_below,
            coverage=None if sets is None else sets.coverage,
            set_bound=None if sets is None else sets.bound,
            architecture=self.classifier.architecture.with_tokenizer(
                self.encoded.tokenizer
            ).to_dict(),
            config=plain,
            seeds={"train": self.config.train.seed, "split": self.config.data.split_seed},
        )

    def measured(self, prepared: PreparedData) -> Measured:
        """What is known about the rows that were held back."""
        return Measured(
            data=prepared,
            before=self._probabilities(self.logits_before),
            uncalibrated=self._probabilities(self.logits),
            after=self._probabilities(self.logits, self.settled.temperature),
            settled=self.settled,
            lengths={part: list(map(len, rows)) for part, rows in self.encoded.parts.items()},
            chances={part: chances_of(rows) for part, rows in self.encoded.parts.items()},
            seed=self.config.train.seed,
            task=self.task,
        )

    def _probabilities(
        self, logits: dict[str, Logits], temperature: float = 1.0
    ) -> dict[str, Probabilities]:
        return {part: self.task.probabilities(rows, temperature) for part, rows in logits.items()}

    def speed(self) -> Speed:
        """Training's pace: examples, tokens and useful floating-point operations a second.

        ``share_of_matrix_rate`` sets the last against what this machine's matrix product does;
        both are None where the machine is too busy to tell.
        """
        seconds = max(self.seconds["train"], 1e-9)
        kept = self.kept
        _, flops = useful_flops_per_token(self.classifier, trunk_is_kept=kept is not None)
        useful = flops * self.result.n_tokens / seconds
        rate, share = rate_and_share(useful, self.compute.dtype, self.compute.device)
        return {
            "examples_per_second": self.result.n_examples / seconds,
            "tokens_per_second": self.result.n_tokens / seconds,
            "useful_flops_per_second": useful,
            "matrix_flops_per_second": rate,
            "share_of_matrix_rate": share,
            "frozen_texts_run": None if kept is None else kept.n_run,
            "frozen_texts_reused": None if kept is None else kept.n_reused,
            "peak_memory_bytes": peak_memory_bytes(self.compute.device),
            "wall_seconds": dict(self.seconds),
        }
