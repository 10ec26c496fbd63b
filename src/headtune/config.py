"""Every option of headtune, once: one frozen dataclass per stage, the text under its field.

The command line (flags and ``--help``), recipes (YAML), the docs and the manifest of an artifact
are all made from these classes, so an option is named, typed and explained in one place. A field
``learning_rate`` is ``--learning-rate`` on the command line and ``learning_rate:`` in a recipe,
below the key of its stage. Where a default is ``"auto"`` or None, the field's text says what it
resolves to; the resolved value is recorded in the manifest.

Leaf module: no torch, no transformers.
"""

import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from headtune.errors import ConfigError
from headtune.option_ranges import check_above_zero, check_at_least, check_seed
from headtune.option_values import stage_from_plain, to_plain, unknown_name
from headtune.written_values import parse_shares, parse_size, parse_tune

__all__ = [
    "AttentionDirection",
    "Balance",
    "DataConfig",
    "DecideConfig",
    "LoraBias",
    "ModelConfig",
    "Pooling",
    "ReportConfig",
    "RunConfig",
    "TokensConfig",
    "TrainConfig",
    "TuneConfig",
]

Balance = Literal["none", "undersample", "oversample", "weights"]
Pooling = Literal["last", "first", "mean"]
AttentionDirection = Literal["causal", "bidirectional"]
Quoting = Literal["auto", "quoted", "none"]
Header = Literal["auto", "yes", "no"]
ComputeDtype = Literal["auto", "float32", "bfloat16"]
Computing = Literal["plain", "int8"]
LoraBias = Literal["none", "lora_only", "all"]
LearningRateSchedule = Literal["linear", "cosine", "constant"]
EvaluationMetric = Literal["loss", "accuracy", "macro_f1"]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How a table becomes labelled examples in three parts."""

    text: str | None = None
    """Column that holds the text. Found by itself when only one column can be it."""

    label: str | None = None
    """Column that holds the label. Found by itself when only one column can be it."""

    template: str | None = None
    """Joins several columns into the text: "{keyword}: {text}". Names columns in braces."""

    encoding: str = "utf-8"
    """Encoding of a text file. A byte order mark is understood."""

    delimiter: str | None = None
    """Character between the columns of a CSV or TSV file, or its name: tab, comma, semicolon, bar.
    Found from the file when not given."""

    quoting: Quoting = "auto"
    """"quoted" where quotes enclose fields, "none" where a quote is an ordinary character.
    "auto" looks."""

    header: Header = "auto"
    """Whether the first line holds column names. "auto" looks."""

    split: str = "70/10/20"
    """Percent of rows for training / validation / test. Validation or test may be 0."""

    group_by: str | None = None
    """Column whose equal values stay in one part: the author, the customer, the conversation.
    Near repeats of a text do so by themselves."""

    split_by_time: str | None = None
    """Column that says when: the oldest rows train, the newest test. Instead of a random split."""

    split_column: str | None = None
    """Column that says the part of each row: train, validation (or valid, val, dev), test."""

    validation_file: Path | None = None
    """A table of its own for validation, with the same columns."""

    test_file: Path | None = None
    """A table of its own for testing, with the same columns."""

    balance: Balance = "none"
    """What to do about labels of unequal number: nothing, drop rows of the larger labels (before
    the split), repeat rows of the smaller ones (training part), or weigh the loss."""

    split_seed: int = 42
    """Seed of the split and of sampling for balance."""

    strict: bool = False
    """Stop at the first row that cannot be used, instead of setting it aside."""

    save_split: bool = False
    """Keep the three parts as train.csv, validation.csv and test.csv in the run folder."""

    def __post_init__(self) -> None:
        check_seed(self, "split_seed")


@dataclass(frozen=True, kw_only=True)
class TokensConfig:
    """How texts become token ids."""

    max_length: int | None = None
    """Tokens of a text that are read; the rest is cut off, and counted. By default the model's
    context length, at most 2,048."""

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_length")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which pretrained language model, and how it is loaded and read."""

    model: str = "smollm2-135m"
    """Hub id, folder, GGUF file, or a built-in alias: smollm2-135m, gemma3-270m."""

    revision: str | None = None
    """Branch, tag or commit of a hub model."""

    random_weights: bool = False
    """Start from random weights of the model's architecture instead of its pretrained ones."""

    pooling: Pooling = "last"
    """Which token's final state is classified: the last, the first, or the mean of all."""

    attention: AttentionDirection = "causal"
    """Whether a token sees only the tokens before it, or all tokens of its text."""

    dtype: ComputeDtype = "auto"
    """Number format of frozen weights and of the arithmetic. "auto" takes bfloat16 where this
    machine multiplies it faster than float32, else float32. Trained weights are always float32."""

    compute: Computing = "plain"
    """How predictions are computed: "plain", in the format of dtype, or "int8", with 8-bit weights
    and activations, which is faster where the machine multiplies integers fast and costs a little
    accuracy: headtune evaluate measures how much. Training is always plain."""

    device: str = "auto"
    """cpu, cuda, cuda:1, mps; "auto" takes an accelerator if there is one."""

    device_map: str | None = None
    """"auto" spreads a model that is larger than one device over all of them."""

    offload_folder: Path | None = None
    """With device_map, where weights that fit on no device are kept."""

    max_tokens_per_batch: int | None = None
    """Most tokens in one forward pass. The result does not depend on it; memory does. By default
    2,048 on a CPU and 16,384 on an accelerator, fewer where memory is short."""

    cache_limit: int | str = "20GB"
    """Most room on disk for what frozen layers made of texts, kept for later runs (see headtune
    cache): bytes, or a size such as 500MB. What was not used for longest goes first. 0: keep
    nothing."""

    trust_remote_code: bool = False
    """Run Python code that comes with a hub model. Only for authors you trust."""

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_tokens_per_batch")
        parse_size(self.cache_limit)


@dataclass(frozen=True, kw_only=True)
class TuneConfig:
    """Which parameters are trained."""

    tune: str = "last-1"
    """head: only the new head. last-N: the last N blocks, the final norm and the head.
    lora: low-rank adapters and the head. full: everything."""

    lora_rank: int = 16
    """Rank of the LoRA adapters."""

    lora_alpha: float = 32.0
    """LoRA scale: adapters count alpha / rank."""

    lora_dropout: float = 0.0
    """Dropout in front of the adapters while training, 0 to 1."""

    lora_bias: LoraBias = "none"
    """Which biases are trained along with the adapters."""

    lora_targets: tuple[str, ...] = ("attention",)
    """Layers that get adapters: attention (its projections, by whatever names the architecture
    has), all-linear (those of the MLP, too), or names of linear layers."""

    lora_layers: str = "all"
    """Which blocks get adapters: all, or last-N (last-1, last-2, …). What is below the last N is
    frozen, and runs once."""

    @property
    def trained_blocks(self) -> int | None:
        """How many blocks, from the top, hold what is trained: 0 for head, None for all."""
        kind, n_blocks = parse_tune(self.tune)
        if kind == "lora" and self.lora_layers != "all":
            return parse_tune(self.lora_layers)[1]
        return n_blocks if kind in ("head", "last") else None

    def __post_init__(self) -> None:
        parse_tune(self.tune)
        self._check_lora_layers()
        if self.tune == "lora" and not self.lora_targets:
            raise ConfigError(
                "--lora-targets names no layers; give attention, all-linear or names of layers."
            )
        check_at_least(self, 1, "lora_rank")
        check_above_zero(self, "lora_alpha")
        if not 0 <= self.lora_dropout < 1:
            raise ConfigError(
                f"--lora-dropout must be at least 0 and below 1; received {self.lora_dropout}."
            )

    def _check_lora_layers(self) -> None:
        if self.lora_layers == "all":
            return
        if not re.fullmatch(r"last-[1-9]\d*", self.lora_layers):
            raise ConfigError(
                f"--lora-layers takes all or last-N (last-1, last-2, …); "
                f"received {self.lora_layers!r}."
            )
        if self.lora_bias == "all":
            raise ConfigError(
                "--lora-bias all trains biases of every block; with --lora-layers "
                f"{self.lora_layers} use none or lora_only."
            )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how fast and how carefully the trainable parameters are fitted."""

    epochs: float = 3.0
    """Passes over the training part."""

    max_steps: int | None = None
    """Optimizer steps to take, instead of epochs."""

    batch_size: int = 16
    """Examples per optimizer step, whatever the packing and the number of devices."""

    learning_rate: float | None = None
    """Peak learning rate. By default 3e-4 for head, last-N and lora, 2e-5 for full."""

    schedule: LearningRateSchedule = "linear"
    """What the learning rate does after warm-up: falls to zero (linear, cosine) or stays."""

    warmup: float = 0.05
    """Warm-up: a share of all steps when below 1, else a number of steps."""

    weight_decay: float = 0.01
    """Decay of AdamW on weight matrices (not on norms and biases)."""

    max_gradient_norm: float = 1.0
    """Gradients are scaled down to this norm. 0 leaves them alone."""

    gradient_accumulation_steps: int = 1
    """Least number of micro-batches that a step's examples are divided into. Memory falls; the
    result stays, since batch_size still counts examples per step."""

    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more time."""

    evaluations_per_epoch: int = 1
    """How often the validation part is scored while training."""

    early_stopping: int = 0
    """Stop after this many evaluations without a better validation metric. 0: never."""

    best_metric: EvaluationMetric = "loss"
    """The validation metric that picks the weights that are kept."""

    keep_best: bool = True
    """At the end, go back to the weights of the best evaluation. Needs a validation part."""

    log_steps: int = 10
    """Optimizer steps between two logged losses."""

    checkpoint_minutes: float = 5.0
    """Minutes between two checkpoints to resume from, besides those at evaluations."""

    report_to: tuple[str, ...] = ()
    """Experiment trackers by transformers' names: tensorboard, wandb, mlflow, …"""

    seed: int = 42
    """Seed of the new head's weights, of the order of examples and of dropout."""

    def __post_init__(self) -> None:
        counts = ("batch_size", "gradient_accumulation_steps", "log_steps", "evaluations_per_epoch")
        check_at_least(self, 1, *counts, "max_steps")
        check_at_least(self, 0, "early_stopping", "warmup", "weight_decay", "max_gradient_norm")
        check_at_least(self, 0, "checkpoint_minutes")
        check_above_zero(self, "epochs", "learning_rate")
        check_seed(self, "seed")
        if self.early_stopping and not self.keep_best:
            raise ConfigError(
                "--early-stopping goes back to the best weights; leave out --no-keep-best."
            )


@dataclass(frozen=True, kw_only=True)
class DecideConfig:
    """When a probability becomes an answer."""

    threshold: tuple[str, ...] = ()
    """Probability from which a label is the answer: spam=0.9. Without one, the most probable
    label is."""

    target_precision: tuple[str, ...] = ()
    """Find a label's threshold on the validation part, for this share of its answers to be right:
    spam=0.99."""

    target_recall: tuple[str, ...] = ()
    """Find a label's threshold on the validation part, for this share of its texts to be found:
    spam=0.95."""

    abstain_below: float | None = None
    """Answer "unsure" where the most probable label is less probable than this, 0 to 1."""

    def __post_init__(self) -> None:
        named: list[str] = []
        for option in ("threshold", "target_precision", "target_recall"):
            named += parse_shares(f"--{option.replace('_', '-')}", getattr(self, option))
        if twice := {name for name in named if named.count(name) > 1}:
            raise ConfigError(
                f"The label {min(twice)!r} can have one of --threshold, --target-precision and "
                "--target-recall."
            )
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise ConfigError(
                f"--abstain-below must be between 0 and 1; received {self.abstain_below}."
            )

    @property
    def needs_validation(self) -> bool:
        return bool(self.target_precision or self.target_recall)


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """What the evidence of a run consists of."""

    calibrate: bool = True
    """Fit a temperature on the validation part, so that probabilities are as often right as they
    say. Predictions use it; no answer changes by it."""

    baselines: bool = True
    """Measure what has to be beaten: the most frequent label, and TF-IDF with logistic
    regression."""

    linear_probe: bool = True
    """Measure logistic regression on the states of the model before tuning, too. Takes up to a
    twelfth of the training's work where frozen layers are not kept."""

    suspect_labels: bool = True
    """List the rows whose label looks wrong, judged by the states of the model before tuning."""

    page: bool = True
    """Write report.html, the report as a page that needs nothing but a browser."""

    predictions: bool = True
    """Keep the answers to validation and test rows, which headtune compare reads."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All options of a training run; what a recipe holds and the manifest records."""

    source: str
    """A file (CSV, TSV, JSON, JSONL, Parquet), a hub data set, - for standard input, or the
    built-in sms-spam."""

    data: DataConfig = field(default_factory=DataConfig)
    tokens: TokensConfig = field(default_factory=TokensConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    decide: DecideConfig = field(default_factory=DecideConfig)
    report: ReportConfig = field(default_factory=ReportConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, stage by stage."""
        plain: dict[str, Any] = to_plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunConfig":
        """The inverse of ``to_dict``. Raises ``ConfigError`` on an unknown key or a wrong type."""
        known = {f.name: f for f in fields(cls)}
        stages: dict[str, Any] = {}
        for key, value in values.items():
            if key not in known:
                raise ConfigError(unknown_name("key", key, known, STAGES))
            stages[key] = value if key == "source" else stage_from_plain(key, value, STAGES)
        if "source" not in stages:
            raise ConfigError("A run needs a source of data; the key 'source' is missing.")
        return cls(**stages)


STAGES: dict[str, type[Any]] = {
    "data": DataConfig,
    "tokens": TokensConfig,
    "model": ModelConfig,
    "tune": TuneConfig,
    "train": TrainConfig,
    "decide": DecideConfig,
    "report": ReportConfig,
}
"""Stage name -> its dataclass, in the order of the pipeline."""
