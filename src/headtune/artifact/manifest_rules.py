"""What each field of a manifest may be: one row a field, by type, range and length.

``check_manifest`` is called before anything uses a value of a manifest. Beyond the rows it looks at
what fields say together: thresholds are of labels that there are, the values of labels have these
names, file names stay in the folder. The version decides between the two formats: 2 has ``task``
with the words of ``TASKS``, ``label_values``, ``architecture``, ``coverage`` and ``set_bound``; 1
has transformers' word for the one task there was.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from headtune.errors import ArtifactFormatError
from headtune.files.json_rules import (
    Field,
    ListOf,
    MapOf,
    Number,
    OneOf,
    OrNull,
    Plain,
    Record,
    Text,
    Truth,
    Whole,
    shown,
)
from headtune.files.plain_json import JsonObject
from headtune.options import AttentionDirection, LoraBias, Pooling
from headtune.tasks import TASKS
from headtune.wording.label_names import plain_name

__all__ = ["FORMAT_VERSION", "TASK_OF_FORMAT_1", "check_manifest"]

FORMAT_VERSION = 2
TASK_OF_FORMAT_1 = "single_label_classification"

SHORT = Text(most=200)
NAME = Text(least=1, most=200)
PROSE = Text(most=2**16)
"""Labels, columns, templates, paths: as people write them."""

SCALAR = OrNull(PROSE, Truth(), Whole(-(2**63), 2**64), Number(-1e300, 1e300))
BLOCKS = "0{0,9}[1-9][0-9]{0,4}"  # how many blocks, counted from the top

BASE_MODEL = Record(
    {
        "name": Field(Text(least=1, most=4_096)),
        "revision": Field(
            OrNull(
                Text(
                    least=1,
                    most=200,
                    pattern=r"(?!/)(?!.*\.\.)[^\x00-\x20~^:?*\[\\\x7f]+",
                    what="the name of a revision",
                )
            )
        ),
        "sha256": Field(Text(most=64, pattern="(?:[0-9a-f]{64})?", what="a sha256, or empty")),
        "model_type": Field(NAME),
    }
)

TUNE = Record(
    {
        "tune": Field(
            Text(
                most=40,
                pattern=f"head|lora|full|last-{BLOCKS}",
                what="head, last-N (last-1, last-2, …), lora or full",
            )
        ),
        "lora_rank": Field(Whole(1, 2**16), required=False),
        "lora_alpha": Field(Number(0.0, 1e300), required=False),
        "lora_dropout": Field(Number(0.0, 1.0), required=False),
        "lora_bias": Field(OneOf(get_args(LoraBias)), required=False),
        "lora_targets": Field(ListOf(values=NAME, most=1_000), required=False),
        "lora_layers": Field(
            Text(most=40, pattern=f"all|last-{BLOCKS}", what="all or last-N"), required=False
        ),
    }
)

CONFIG = Record(
    {"source": Field(PROSE, required=False)},
    others=MapOf(
        keys=NAME,
        values=MapOf(
            keys=NAME, values=OrNull(SCALAR, ListOf(values=SCALAR, most=10_000)), most=500
        ),
        most=100,
    ),
)
"""A stage is an object of options; what these may be, ``RunConfig.from_dict`` knows."""

METRICS = MapOf(keys=SHORT, values=Plain(10_000), most=100)
"""Figures of a shape that ``describe_run`` does not know are left out there."""

TOKEN_IDS = ListOf(values=Whole(0, 2**31 - 1), most=64, what="a short list of token ids")

ARCHITECTURE = Record(
    {
        "model_type": Field(NAME),
        "direction": Field(OneOf(get_args(AttentionDirection))),
        "windows": Field(
            ListOf(
                values=OrNull(Whole(1, 2**31 - 1)),
                most=10_000,
                what="token counts and nulls",
            )
        ),
        "position_offset": Field(Whole(0, 2**31 - 1)),
        "has_token_types": Field(Truth()),
        "tokens_before": Field(TOKEN_IDS),
        "tokens_after": Field(TOKEN_IDS),
        "head": Field(OrNull(NAME)),
        "packs": Field(Truth()),
    }
)
"""What ``Architecture.to_dict`` writes."""

FIELDS: Mapping[str, Field] = {
    "labels": Field(
        ListOf(values=PROSE, least=2, most=2**16, distinct=True, what="two or more, all different")
    ),
    "base_model": Field(BASE_MODEL),
    "tune": Field(TUNE),
    "pooling": Field(OneOf(get_args(Pooling))),
    "attention": Field(OneOf(get_args(AttentionDirection))),
    "max_length": Field(Whole(1, 2**31 - 1)),
    "dtype": Field(OneOf(("float32", "bfloat16"))),
    "split_special_tokens": Field(Truth(), required=False),
    "packs": Field(Truth()),
    "temperature": Field(Number(1e-6, 1e6), required=False),
    "thresholds": Field(
        MapOf(keys=PROSE, values=Number(0.0, 1.0), most=2**16, what="numbers by label"),
        required=False,
    ),
    "abstain_below": Field(OrNull(Number(0.0, 1.0)), required=False),
    "text_column": Field(OrNull(PROSE), required=False),
    "label_column": Field(OrNull(PROSE), required=False),
    "template": Field(OrNull(PROSE), required=False),
    "missing": Field(ListOf(values=PROSE, most=1_000), required=False),
    "config": Field(CONFIG, required=False),
    "seeds": Field(MapOf(keys=NAME, values=Whole(0, 2**64), most=100), required=False),
    "data_fingerprint": Field(SHORT, required=False),
    "metrics": Field(METRICS, required=False),
    "libraries": Field(MapOf(keys=SHORT, values=SHORT, most=1_000), required=False),
    "files": Field(MapOf(keys=Text(most=255), values=Text(most=64), most=10_000)),
    "format_version": Field(Whole(1, FORMAT_VERSION)),
    "headtune_version": Field(SHORT, required=False),
    "created": Field(SHORT, required=False),
    "seal": Field(Text(most=64), required=False),
}
"""What both formats have."""

OF_FORMAT: Mapping[int, Record] = {
    1: Record({**FIELDS, "task": Field(OneOf((TASK_OF_FORMAT_1,)), required=False)}),
    2: Record(
        {
            **FIELDS,
            "task": Field(OneOf(tuple(TASKS))),
            "label_values": Field(OrNull(ListOf(values=SCALAR, most=2**16)), required=False),
            "architecture": Field(OrNull(ARCHITECTURE), required=False),
            "coverage": Field(OrNull(Number(0.0, 1.0)), required=False),
            "set_bound": Field(OrNull(Number(0.0, 2.0)), required=False),
        }
    ),
}


def check_manifest(values: Any, where: Path) -> None:
    """Raises ``ArtifactFormatError`` on the first field that is not what it may be."""
    _check_version(values, where)
    _check_task(values, where)
    try:
        OF_FORMAT[values["format_version"]].check(values)
    except ValueError as error:
        raise ArtifactFormatError(f"{where}: {error}.") from error
    if others := sorted(set(values.get("thresholds", ())) - set(values["labels"])):
        raise ArtifactFormatError(
            f"{where}: 'thresholds' has {shown(others[0])}, which is no label."
        )
    _check_label_values(values, where)
    for name in values["files"]:
        if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
            raise ArtifactFormatError(f"{where}: file name {shown(name)} leaves the folder.")


def _check_label_values(values: JsonObject, where: Path) -> None:
    """A value goes by the name of its label, so answers cannot be turned round by it."""
    own = values.get("label_values")
    if own is not None and [plain_name(value) for value in own] != values["labels"]:
        raise ArtifactFormatError(
            f"{where}: 'label_values' must have a value for each label, by its name; received "
            f"{shown(own)}."
        )


def _check_version(values: Any, where: Path) -> None:
    version = values.get("format_version") if isinstance(values, dict) else None
    if type(version) is not int or version < 1:
        raise ArtifactFormatError(f"{where} has no format_version; is it a run?")
    if version > FORMAT_VERSION:
        raise ArtifactFormatError(
            f"{where.parent} was written by a newer headtune (format {shown(version)}; this one "
            f"reads up to {FORMAT_VERSION}).",
            way_out="Upgrade: pip install -U headtune",
        )


def _check_task(values: JsonObject, where: Path) -> None:
    """A task of a later headtune is said as such; what is no word at all is left to the rules."""
    task = values.get("task")
    if values["format_version"] > 1 and isinstance(task, str) and task not in TASKS:
        raise ArtifactFormatError(
            f"{where}: this headtune knows the task {' and '.join(TASKS)}; received {shown(task)}.",
            way_out="Upgrade: pip install -U headtune",
        )
