"""README.md of a run: what the classifier is, what it was measured on, how it is loaded.

A model card (Mitchell et al., "Model Cards for Model Reporting", 2019) with the front matter that
hubs read. It states what the manifest and the report know, and nothing else.
"""

from typing import Any

import yaml

from headtune.artifact.manifest import Manifest
from headtune.pretrained import public_name

__all__ = ["model_card"]


def model_card(manifest: Manifest, report: dict[str, Any], name: str) -> str:
    """The card as Markdown. ``report`` is ``report.json``'s content, or empty."""
    parts = [
        _front_matter(manifest),
        f"# {name}\n",
        f"A text classifier made with headtune: `{manifest.base_model.name}`, tuned by "
        f"`{manifest.tune['tune']}`. Labels: {', '.join(f'`{x}`' for x in manifest.labels)}.\n",
        _figures(report),
        _data(report),
        _limits(manifest),
        _how_to(name),
    ]
    return "\n".join(part for part in parts if part)


def _front_matter(manifest: Manifest) -> str:
    base = public_name(manifest.base_model.name)
    values: dict[str, Any] = {
        "library_name": "peft" if manifest.tune["tune"] == "lora" else "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["text-classification", "headtune"],
    }
    if base.count("/") == 1 and not base.startswith((".", "/")):
        values["base_model"] = base
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---\n"


def _figures(report: dict[str, Any]) -> str:
    named = [(f"{when} tuning", report.get(when) or {}) for when in ("before", "after")]
    named += [
        (f"baseline: {name.replace('_', ' ')}", by_part)
        for name, by_part in (report.get("baselines") or {}).items()
    ]
    rows = [
        f"| {part} | {name} | {figures['accuracy']:.1%} | {figures['macro_f1']:.3f} | "
        f"{figures['log_loss']:.3f} |"
        for part in ("test", "validation")
        for name, by_part in named
        if (figures := by_part.get(part))
    ]
    if not rows:
        return ""
    head = "| part | | accuracy | macro F1 | log loss |\n|---|---|---|---|---|"
    return "## Figures\n\n" + head + "\n" + "\n".join(rows) + "\n"


def _data(report: dict[str, Any]) -> str:
    data = report.get("data") or {}
    if not data:
        return ""
    parts = ", ".join(f"{part} {facts['rows']}" for part, facts in data.get("parts", {}).items())
    return (
        f"## Data\n\n{data.get('source', 'given in Python')}: {data.get('rows_read', '?')} rows "
        f"read ({parts}). Fingerprint `{str(data.get('fingerprint', ''))[:16]}`.\n"
    )


def _limits(manifest: Manifest) -> str:
    return (
        "## Intended use and limits\n\n"
        "For texts like those of the data above, in the same language. Texts longer than "
        f"{manifest.max_length} tokens are cut. The figures hold for data drawn as the test part "
        "was; other sources, later times and rare labels can be worse. "
        "`probes.json` and `report.json` hold texts of the data, so share the folder as you would "
        "share the data.\n"
    )


def _how_to(name: str) -> str:
    return (
        "## How to use it\n\n"
        f'```\nheadtune predict path/to/{name} "your text"\n```\n\n'
        "```python\nfrom headtune import TextClassifier\n\n"
        f'classifier = TextClassifier.load("path/to/{name}")\n'
        'classifier.predict(["your text"])\n```\n'
    )
