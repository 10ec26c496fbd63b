"""README.md of a run: what the classifier is, what it was measured on, how it is loaded.

A model card (Mitchell et al., "Model Cards for Model Reporting", 2019) with the front matter that
hubs read. It states what the manifest and the report know, and nothing else. Names and sentences
are shown as they are written, whatever they would mean in Markdown or HTML (wording/markdown.py).
"""

from typing import TypedDict

import yaml

from headtune.artifact.manifest import Manifest
from headtune.pretrained import public_name
from headtune.tasks import Task, task_named
from headtune.tasks.figures import HELD_BACK, BaselineFigures, Metrics, PartMetrics
from headtune.types import DataAccount
from headtune.wording.commands import ways
from headtune.wording.markdown import code, fenced, plain
from headtune.wording.numbers import interval
from headtune.wording.special_tokens import special_tokens_sentence

__all__ = ["CardValues", "model_card"]


class CardValues(TypedDict, total=False):
    """What a card takes of ``report.json``; empty for a classifier that was not measured."""

    before: PartMetrics
    after: PartMetrics
    baselines: dict[str, BaselineFigures]
    warnings: list[str]
    sentence: str
    data: DataAccount


def model_card(manifest: Manifest, report: CardValues, name: str) -> str:
    """The card as Markdown. ``report`` is ``report.json``'s content, or empty."""
    parts = [
        _front_matter(manifest),
        f"# {plain(name)}\n",
        f"A text classifier made with headtune: {code(manifest.base_model.name)}, tuned by "
        f"{code(manifest.tune['tune'])}. Labels: {', '.join(map(code, manifest.labels))}.\n",
        _figures(report, task_named(manifest.task)),
        _data(report),
        _limits(manifest),
        _how_to(name, manifest),
    ]
    return "\n".join(part for part in parts if part)


def _front_matter(manifest: Manifest) -> str:
    base = public_name(manifest.base_model.name)
    values: dict[str, str | list[str]] = {
        "library_name": "peft" if manifest.tune["tune"] == "lora" else "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["text-classification", "headtune"],
    }
    if base.count("/") == 1 and not base.startswith((".", "/")):
        values["base_model"] = base
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---\n"


def _figures(report: CardValues, task: Task) -> str:
    baselines = report.get("baselines") or {}
    rows = [
        _row(part, name, figures, task)
        for part in reversed(HELD_BACK)
        for name, figures in [
            ("before tuning", (report.get("before") or {}).get(part)),
            ("after tuning", (report.get("after") or {}).get(part)),
            *(
                (f"baseline: {name.replace('_', ' ')}", b.get(part))
                for name, b in baselines.items()
            ),
        ]
        if figures
    ]
    if not rows:
        return ""
    first, *others = (figure.words for figure in task.headline)
    shown = " | ".join(("texts", first, "95 % interval", *others))
    head = f"| part | | {shown} |\n|---|---|---|---|---{'|---' * len(others)}|"
    warnings = "".join(f"> **{plain(warning)}**\n\n" for warning in report.get("warnings") or ())
    sentence = f"{plain(report['sentence'])}\n\n" if report.get("sentence") else ""
    return "## Figures\n\n" + warnings + sentence + head + "\n" + "\n".join(rows) + "\n"


def _row(part: str, name: str, figures: Metrics, task: Task) -> str:
    first, *others = (figure.written(figures) for figure in task.headline)
    cells = (
        plain(part),
        plain(name),
        f"{figures['n']:,}",
        first,
        interval(*task.interval(figures)),
        *others,
    )
    return f"| {' | '.join(cells)} |"


def _data(report: CardValues) -> str:
    data = report.get("data") or {}
    if not data:
        return ""
    parts = data.get("parts", {}).items()
    counts = ", ".join(f"{plain(part)} {facts['rows']:,}" for part, facts in parts)
    n_rows = f"{data['rows_read']:,}" if "rows_read" in data else "?"
    source = plain(data.get("source", "given in Python"))
    return (
        f"## Data\n\n{source}: {n_rows} rows read ({counts}). "
        f"Fingerprint {code(str(data.get('fingerprint', ''))[:16])}.\n"
    )


def _limits(manifest: Manifest) -> str:
    return (
        "## Intended use and limits\n\n"
        "For texts like those of the data above, in the same language. Texts longer than "
        f"{manifest.max_length:,} tokens are cut. "
        f"{special_tokens_sentence(manifest.split_special_tokens)} The figures hold for data drawn "
        "as the test part was; other sources, later times and rare labels can be worse. "
        "`probes.json`, `predictions.parquet` and the reports hold texts of the data, so share the "
        "folder as you would share the data.\n"
    )


def _how_to(name: str, manifest: Manifest) -> str:
    parts, folder = ["## How to use it\n"], f"path/to/{name}"
    for way in ways(folder, manifest.labels[0], manifest.template):
        language = "sh" if way.code.startswith("headtune ") else "python"
        parts.append(f"{way.name}:\n\n{fenced(way.code, language)}\n")
    export = code(f"headtune export {folder} --to transformers")
    parts.append(f"{export} (or `onnx`, `gguf`, …) makes a folder that other tools load.\n")
    return "\n".join(parts)
