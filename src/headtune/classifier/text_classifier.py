"""The estimator.

    classifier = TextClassifier(tune="last-1").fit(texts, labels)
    classifier.predict(["You won!"])

``fit`` reads as the pipeline: texts and labels become examples, a part of them is held back for
validation, and ``pipeline.py`` does the rest. The constructor only stores, so ``clone``,
``cross_val_score``, ``Pipeline`` and ``GridSearchCV`` work. ``save`` writes the same run folder as
the command line, and ``load`` reads either's.
"""

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NoReturn, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from headtune.artifact import Manifest, choose_probes, save_artifact
from headtune.artifact.layout import require_run_folder
from headtune.classifier.examples import divided, examples_of, measured
from headtune.classifier.labels import names_of, original_values, sorted_places
from headtune.classifier.parameters import in_own_names, parameters_of, run_config
from headtune.data.findings import label_findings
from headtune.errors import ConfigError
from headtune.explain import Explanation, explain
from headtune.explain.explanation import Method
from headtune.files.claims import claimed
from headtune.notebook import Listener, listening
from headtune.options import AttentionDirection, Balance, LoraBias, Pooling
from headtune.predict import Predictor
from headtune.predict.fields import Text
from headtune.run.fitted import Fitted
from headtune.run.pipeline import fit_classifier
from headtune.tasks.decision import UNSURE
from headtune.tasks.metrics import Metrics
from headtune.training import Interruption
from headtune.types import label_ids_of

__all__ = ["TextClassifier"]

NO_METADATA_OF_TEXTS = MappingProxyType({"texts": UNUSED})
NO_METADATA = MappingProxyType({"texts": UNUSED, "labels": UNUSED})
"""Arguments that scikit-learn passes by position, whatever their names: nothing to be routed."""


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A pretrained language model, tuned to classify texts.

    The parameters are options of ``headtune train``, by the same names and with the same
    defaults; ``headtune.options`` explains each.

    Args:
        validation_fraction: Share of the texts that ``fit`` holds back to pick the best weights,
            where it is given no validation texts. 0 trains on all and keeps the last weights.
        class_weight: Weights of labels in the loss, by scikit-learn's name: "balanced" is
            ``balance="weights"``; a dict has a number above 0 for a label, 1 for all others.
        progress: Hears what ``fit`` is doing; None shows a bar in a notebook, False nothing
            anywhere.

    Attributes:
        classes_: The labels as ``fit`` received them, sorted, shape ``(n_labels,)``; the order of
            ``predict_proba``'s columns. The same after ``save`` and ``load``. Integers of any
            size are int64; what JSON does not have (dates, bytes) goes by its name.
        n_features_in_: Not set: a text is not a row of features.
        history_: One dict per logged step and per evaluation.
        predictor_: The fitted ``Predictor``.
    """

    __metadata_request__fit: ClassVar = NO_METADATA
    __metadata_request__predict: ClassVar = NO_METADATA_OF_TEXTS
    __metadata_request__predict_proba: ClassVar = NO_METADATA_OF_TEXTS
    __metadata_request__score: ClassVar = NO_METADATA

    def __init__(
        self,
        model: str = "smollm2-135m",
        tune: str = "last-1",
        *,
        revision: str | None = None,
        max_length: int | None = None,
        split_special_tokens: bool = True,
        pooling: Pooling = "last",
        attention: AttentionDirection = "causal",
        lora_rank: int = 16,
        lora_alpha: float = 32.0,
        lora_dropout: float = 0.0,
        lora_bias: LoraBias = "none",
        lora_targets: tuple[str, ...] = ("attention",),
        lora_layers: str = "all",
        epochs: float = 3.0,
        max_steps: int | None = None,
        batch_size: int = 16,
        learning_rate: float | None = None,
        schedule: str = "linear",
        warmup: float = 0.05,
        loss: str = "cross-entropy",
        focal_gamma: float = 2.0,
        label_smoothing: float = 0.0,
        weight_decay: float = 0.01,
        max_gradient_norm: float = 1.0,
        gradient_accumulation_steps: int = 1,
        gradient_checkpointing: bool = False,
        balance: Balance = "none",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        calibrate: bool = True,
        threshold: tuple[str, ...] = (),
        target_precision: tuple[str, ...] = (),
        target_recall: tuple[str, ...] = (),
        abstain_below: float | None = None,
        coverage: float | None = None,
        validation_fraction: float = 0.1,
        evaluations_per_epoch: int = 1,
        early_stopping: int = 0,
        best_metric: str = "loss",
        keep_best: bool = True,
        log_steps: int = 10,
        dtype: str = "auto",
        device: str = "auto",
        device_map: str | None = None,
        offload_folder: str | Path | None = None,
        max_tokens_per_batch: int | None = None,
        cache_limit: int | str = "20GB",
        random_weights: bool = False,
        trust_remote_code: bool = False,
        seed: int = 42,
        progress: Listener = None,
    ) -> None:
        self.model = model
        self.tune = tune
        self.revision = revision
        self.max_length = max_length
        self.split_special_tokens = split_special_tokens
        self.pooling = pooling
        self.attention = attention
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        self.lora_dropout = lora_dropout
        self.lora_bias = lora_bias
        self.lora_targets = lora_targets
        self.lora_layers = lora_layers
        self.epochs = epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.loss = loss
        self.focal_gamma = focal_gamma
        self.label_smoothing = label_smoothing
        self.weight_decay = weight_decay
        self.max_gradient_norm = max_gradient_norm
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.gradient_checkpointing = gradient_checkpointing
        self.balance = balance
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.threshold = threshold
        self.target_precision = target_precision
        self.target_recall = target_recall
        self.abstain_below = abstain_below
        self.coverage = coverage
        self.validation_fraction = validation_fraction
        self.evaluations_per_epoch = evaluations_per_epoch
        self.early_stopping = early_stopping
        self.best_metric = best_metric
        self.keep_best = keep_best
        self.log_steps = log_steps
        self.dtype = dtype
        self.device = device
        self.device_map = device_map
        self.offload_folder = offload_folder
        self.max_tokens_per_batch = max_tokens_per_batch
        self.cache_limit = cache_limit
        self.random_weights = random_weights
        self.trust_remote_code = trust_remote_code
        self.seed = seed
        self.progress = progress

    def fit(
        self,
        texts: Iterable[str],
        labels: Iterable[Any],
        sample_weight: Any = None,
        *,
        validation: Sequence[Any] | None = None,
    ) -> Self:
        """Tune the model on texts and their labels (strings, integers or booleans).

        Args:
            texts: Strings: a list, an array, a Series, a column of a data set.
            labels: One label for each text.
            sample_weight: How much each text counts beside the others, ``(n_texts,)``, in the
                loss, in the figures that pick the best weights, in calibration and thresholds;
                all alike without it. Their scale plays no role, and 0 leaves a text out.
            validation: Texts and labels (and weights, if you like) to pick the best weights by;
                otherwise a part of the training texts is held back (``validation_fraction``).

        Interrupted after the first step (Ctrl-C, a notebook's "interrupt"), it ends with what was
        trained and a warning; a second time, or earlier, raises ``KeyboardInterrupt``.

        Warns:
            UserWarning: Labels that differ only by case or spaces, or look like missing values.

        Raises:
            DataError: Lengths differ, a text is empty, a weight is no number of at least 0, or
                there is one label only.
            ConfigError: Parameters that cannot be used, or not together.
            ModelError, TrainingError: The model cannot be loaded, or trained.
        """
        with in_own_names(label="labels"):
            names, examples = examples_of(texts, labels, sample_weight)
        for finding in label_findings(Counter(names.decode(label_ids_of(examples)))):
            warnings.warn(finding.sentence, UserWarning, stacklevel=2)
        held_back = examples_of(*validation, known=names)[1] if validation else []
        prepared = divided(
            names, examples, held_back, self.validation_fraction, self.balance, self.seed
        )
        with (
            in_own_names(split="validation_fraction", label_weight="class_weight"),
            tempfile.TemporaryDirectory(prefix="headtune-") as folder,
            listening(self.progress) as progress,
            Interruption(progress).heeded() as interruption,
        ):
            self.fitted_: Fitted = fit_classifier(
                prepared,
                run_config(self.get_params(deep=False)),
                folder=Path(folder),
                progress=progress,
                score_before=False,
                interruption=interruption,
            )
        self.history_ = self.fitted_.result.history
        self._answer_with(self.fitted_.predictor(), original_values(names))
        self._probe_texts = choose_probes(prepared.train, len(names), self.seed)
        interruption.warn(self.fitted_.result.best_step)
        return self

    def predict(self, texts: Iterable[Text]) -> npt.NDArray[Any]:
        """The answer for each text, shape ``(n_texts,)``: the most probable label.

        Where a loaded run was trained on a template of several columns, a text is a dict with their
        values. A run folder may have thresholds, or answer "unsure", which counts as wrong in
        ``score``.
        """
        check_is_fitted(self, "predictor_")
        predictor = self.predictor_
        probabilities = predictor.predict_proba(texts)
        decided = predictor.decide(probabilities)
        if UNSURE not in predictor.task.possible_answers(predictor.labels, predictor.rule):
            labels: npt.NDArray[Any] = self._values[decided]
            return labels
        return np.array([*self._values, UNSURE], dtype=object)[decided]

    def predict_proba(self, texts: Iterable[Text]) -> npt.NDArray[np.float64]:
        """Probabilities, shape ``(n_texts, n_labels)``, columns in the order of ``classes_``.

        Raises ``PredictionError`` on a text that is empty or no string.
        """
        check_is_fitted(self, "predictor_")
        return self.predictor_.predict_proba(texts)[:, self._columns]

    def predict_set(self, texts: Iterable[Text]) -> list[list[Any]]:
        """For each text the labels of which one is the true one in a share ``coverage`` of texts.

        The labels of a set are in the order of ``classes_``; a set may be empty. Raises
        ``PredictionError`` where the classifier was fitted without ``coverage``.
        """
        check_is_fitted(self, "predictor_")
        predictor = self.predictor_
        examples = predictor.encode(predictor.whole(texts))
        sets = predictor.sets(predictor.probabilities(examples), examples)[:, self._columns]
        return [self.classes_[row].tolist() for row in sets]

    def evaluate(
        self, texts: Iterable[Text], labels: Iterable[Any], sample_weight: Any = None
    ) -> Metrics:
        """Accuracy, macro F1, log loss and per-label figures; see ``headtune.tasks.metrics``.

        Texts of weight 0 are left out; counts are of texts, whatever they weigh.
        """
        check_is_fitted(self, "predictor_")
        texts, names, weights = measured(texts, labels, sample_weight)
        predictor = self.predictor_
        targets = predictor.task.targets(predictor.labels.encode(names))
        probabilities = predictor.predict_proba(texts)
        return predictor.task.metrics(probabilities, targets, predictor.labels, weights)

    def score(
        self, texts: Iterable[Text], labels: Iterable[Any], sample_weight: Any = None
    ) -> float:
        """Accuracy. Labels are compared by name, so 1 and "1" are the same after ``load`` too."""
        texts, expected, weights = measured(texts, labels, sample_weight)
        right = [a == b for a, b in zip(names_of(self.predict(texts)), expected, strict=True)]
        return float(np.average(right, weights=weights))

    @property
    def partial_fit(self) -> NoReturn:
        """There is none, and ``hasattr`` says so."""
        raise AttributeError(
            "TextClassifier has no partial_fit: what frozen layers gave, the learning rate's "
            "schedule, calibration and the best weights are of all texts together. Call fit with "
            "old and new texts; texts that were seen before do not go through frozen layers again."
        )

    def explain(
        self, text: Text, *, label: Any = None, method: Method = "occlusion"
    ) -> Explanation:
        """Which words of a text moved the answer; a notebook shows them in colour.

        Args:
            label: The label to explain, as in ``classes_``; by default the most probable one.
            method: "occlusion" leaves each word out; "gradients" integrates gradients.

        Raises as ``headtune.explain.explain`` does: ``PredictionError`` for an empty text or a
        label that is not there, ``MissingDependencyError`` for gradients without Captum.
        """
        check_is_fitted(self, "predictor_")
        [name] = [None] if label is None else names_of([label])
        return explain(self.predictor_, text, method=method, label=name)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a run folder, proved in a fresh process.

        Raises ``ArtifactError`` when ``path`` exists, or the folder does not load.
        """
        check_is_fitted(self, "predictor_")
        if not hasattr(self, "fitted_"):
            raise ConfigError(
                "This classifier was loaded from a run folder.", way_out="Copy that folder."
            )
        contents = self.fitted_.contents(self.fitted_.manifest(), self._probe_texts)
        with in_own_names(out="path"), claimed(Path(path)):
            save_artifact(Path(path), contents, overwrite=overwrite)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> "TextClassifier":
        """The classifier of a run folder; ``options`` as in ``Predictor.load``.

        Its parameters are those the run was trained with, but for what concerns the machine.
        """
        predictor = Predictor.load(path, **options)
        manifest = Manifest.load(require_run_folder(Path(path)))
        classifier = cls(**parameters_of(manifest, cls().get_params(), options))
        classifier._answer_with(predictor, original_values(predictor.labels))
        return classifier

    def _answer_with(self, predictor: Predictor, values: npt.NDArray[Any]) -> None:
        """``values``: the labels as the caller has them, in the order of the classifier's own.

        ``classes_`` has the order that scikit-learn's scorers take for granted: sorted.
        """
        self.predictor_ = predictor
        self._values = values
        self._columns = sorted_places(values)
        self.classes_ = values[self._columns]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags
