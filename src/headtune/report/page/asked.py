"""What a run was asked: its options as the command that does the same again, and in words.

Guarantees: the command, read as ``headtune train`` reads it, gives the options of the run, to the
last digit (unless a label has an equals sign, a number and a comma in it); ``in_words`` says of the
split what the options say, and names only the parts it made.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from headtune.data.parts.split import parse_split
from headtune.errors import ConfigError
from headtune.options import STAGES
from headtune.options.written import parse_tune
from headtune.wording.numbers import count, percent
from headtune.wording.special_tokens import special_tokens_sentence

__all__ = ["command", "in_words"]

Values = Mapping[str, Any]

PARTS = ("training", "validation", "test")

BALANCES = {
    "undersample": "Rows of the larger labels were left out, so that all labels have as many.",
    "oversample": "Training rows of the smaller labels were repeated.",
    "weights": "Mistakes on rare labels count more in the loss.",
}

SCHEDULES = {
    "linear": "then falling linearly to zero",
    "cosine": "then falling to zero along a cosine",
    "constant": "then staying",
}


def command(config: Values) -> str:
    """``headtune train`` with every option that differs from its default, one a line.

    What was found automatically (device, dtype, learning rate, ...) is spelled out.
    """
    lines = [shlex.join(["headtune", "train", str(config["source"])])]
    lines += [shlex.join(_words(name, value)) for name, value in _changed(config)]
    return " \\\n  ".join(lines)


def _changed(config: Values) -> Iterator[tuple[str, Any]]:
    """Name and value of every option that differs from its default."""
    for stage, cls in STAGES.items():
        given = config.get(stage, {})
        for option in fields(cls):
            value = given.get(option.name, option.default)
            value = tuple(value) if isinstance(value, list) else value
            if value != option.default and value is not None:
                yield option.name, value


def _words(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    values = [_written(item) for item in (value if isinstance(value, tuple) else (value,))]
    if any(item.startswith("-") for item in values):  # which would be taken for another option
        return [f"{flag}={item}" for item in values]
    return [flag, *values]


def _written(value: Any) -> str:
    """All digits of a number; a whole one without its point."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def in_words(report: Values) -> list[tuple[str, str]]:
    """What concerns the result, as headings and sentences."""
    config = report["config"]
    data, tune, train = (config.get(stage, {}) for stage in ("data", "tune", "train"))
    found = {
        "Data": " ".join(_data(report["data"], data)),
        "Model": " ".join(_model(report["model"], tune)),
        "Reading": " ".join(_reading(config)),
        "Training": " ".join(_training(report, train)),
    }
    return [(heading, text) for heading, text in found.items() if text]


def _data(summary: Values, options: Values) -> Iterator[str]:
    if found := summary.get("columns", {}).get("found"):
        yield f"{summary['source']}: {found}."
    split = str(summary.get("split", ""))
    if split.startswith("given by"):
        yield f"The parts were {split}."
    elif split:
        yield _cut(options.get("split", split), summary.get("split_seed"), options)
    if balance := BALANCES.get(options.get("balance", "none")):
        yield balance
    if weights := options.get("label_weight"):
        yield f"In the loss, labels weigh {', '.join(weights)}; others 1."


def _cut(split: str, seed: int | None, options: Values) -> str:
    """How all parts were cut from one table."""
    shares = zip(PARTS, parse_split(split), strict=True)
    parts = {part: f"{100 * share:g}" for part, share in shares if share}
    if len(parts) == 1:
        return "No row was held back: all of them train."
    *most, last = parts
    cut = f"Split {' / '.join(parts.values())} into {', '.join(most)} and {last}"
    if column := options.get("split_by_time"):
        return f"{cut} by time (column {column!r}): the oldest rows train."
    together = f", rows of one {column!r} together" if (column := options.get("group_by")) else ""
    seeded = "" if seed is None else f", with seed {seed}"
    return f"{cut}, at random{together}{seeded}."


def _model(model: Values, tune: Values) -> Iterator[str]:
    trained, total = model["trainable_parameters"], model["total_parameters"]
    yield f"{model['id']}, a language model of {total:,} parameters."
    what = _tuned(tune)
    yield f"{what} trained: {trained:,} parameters ({percent(trained / total)})."


def _tuned(tune: Values) -> str:
    try:
        kind, n = parse_tune(tune.get("tune", ""))
    except ConfigError:  # options of another version: the numbers below speak for themselves
        return "Of these were"
    if kind == "last":
        blocks = "The last block" if n == 1 else f"The last {n} blocks"
        return f"{blocks}, the final norm and a new head were"
    return {
        "head": "Only a new head was",
        "lora": f"Low-rank adapters (LoRA, rank {tune.get('lora_rank')}) and a new head were",
        "full": "All of them and a new head were",
    }[kind]


def _reading(config: Values) -> Iterator[str]:
    pooling = config.get("model", {}).get("pooling")
    tokens = config.get("tokens", {})
    length = tokens.get("max_length")
    if length:
        yield f"Up to {length:,} tokens of a text are read."
    if tokens:
        yield special_tokens_sentence(tokens.get("split_special_tokens", False))
    if pooling:
        which = {"mean": "mean of all tokens' states", "first": "first token's state"}
        yield f"The label comes from the {which.get(pooling, 'last token’s state')}."


def _training(report: Values, train: Values) -> Iterator[str]:
    if not train.get("batch_size"):
        return
    if train.get("max_steps"):
        length = count(train["max_steps"], "step")
    else:
        length = f"{train['epochs']:g} epoch{'' if train['epochs'] == 1 else 's'}"
    yield f"{length}, {count(train['batch_size'], 'text')} a step."
    if train.get("learning_rate"):
        rate, schedule = train["learning_rate"], train.get("schedule", "")
        yield f"Learning rate up to {rate:g}, {SCHEDULES.get(schedule, schedule)}."
    if train.get("keep_best") and report["after"]["validation"] is not None:
        metric = str(train.get("best_metric", "loss")).replace("_", " ")
        yield f"The weights with the best validation {metric} were kept."
    yield f"Seed {train.get('seed')}."
