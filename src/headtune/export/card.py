"""The two files that every export has besides its format's own.

``export.json`` says what the folder is, from which run, and how near its answers were when it was
read back: what ``--overwrite`` goes by, and what a machine reads. ``README.md`` says the same to
people, with the lines that load it.
"""

from dataclasses import asdict
from pathlib import Path

import yaml

from headtune.artifact.manifest import Manifest
from headtune.errors import ArtifactError, option
from headtune.export.formats import Format, Measured
from headtune.export.proof import Agreement
from headtune.files.plain_json import to_json
from headtune.wording.markdown import code, fenced, plain
from headtune.wording.special_tokens import special_tokens_sentence
from headtune.wording.visible import visible_name

__all__ = ["EXPORT_RECORD", "check_export_target", "write_card", "write_record"]

EXPORT_RECORD = "export.json"


def check_export_target(out: Path, *, overwrite: bool) -> None:
    """Raise ``ArtifactError`` if ``out`` cannot be written, or holds something else."""
    if out.exists() and not overwrite:
        raise ArtifactError(
            f"{out} exists already.",
            option="out",
            way_out=f"Choose another folder with {option('out')}, or replace it with "
            f"{option('overwrite', True)}.",
        )
    in_use = out.is_file() or (out.is_dir() and any(out.iterdir()))
    if in_use and not (out / EXPORT_RECORD).is_file():
        raise ArtifactError(
            f"{out} is not an earlier export, so it is not overwritten.",
            option="out",
            way_out=f"Choose another folder with {option('out')}.",
        )


def write_record(
    folder: Path,
    name: str,
    quantize: str | None,
    manifest: Manifest,
    agreement: Agreement,
    measured: Measured,
) -> None:
    """Write ``export.json``."""
    values = {
        "format": name,
        "quantize": quantize,
        "labels": manifest.labels,
        "max_length": manifest.max_length,
        "split_special_tokens": manifest.split_special_tokens,
        "thresholds": manifest.thresholds,
        "abstain_below": manifest.abstain_below,
        "base_model": asdict(manifest.base_model),
        "tune": manifest.tune["tune"],
        "data_fingerprint": manifest.data_fingerprint,
        "headtune_version": manifest.headtune_version,
        "probes": asdict(agreement),
        **measured,
    }
    text = to_json(values, indent=2)
    (folder / EXPORT_RECORD).write_text(text + "\n", encoding="utf-8")


def write_card(
    folder: Path, name: str, row: Format, manifest: Manifest, facts: list[str], out: str, base: str
) -> None:
    """Write ``README.md``: what it is, what was measured, how it is loaded."""
    front = {
        "library_name": "transformers" if name == "causal-lm" else name,
        "pipeline_tag": row.pipeline_tag,
        "tags": ["text-classification", "headtune"],
    }
    listed = "\n".join(f"- {plain(fact)}" for fact in facts)
    blanks = {"{out}": out, "{base}": base, "{n_labels}": str(len(manifest.labels))}
    how_to, served = row.how_to, "\n" + row.served if row.served else ""
    for blank, value in blanks.items():
        how_to = how_to.replace(blank, to_json(value)[1:-1])  # inside quotes of Python's
        served = served.replace(blank, visible_name(value))
    how_read = special_tokens_sentence(manifest.split_special_tokens)
    (folder / "README.md").write_text(
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n# {plain(Path(out).name)}\n\n"
        f"{row.text} Exported by headtune.\n\n"
        f"Labels: {', '.join(map(code, manifest.labels))}. Texts are read up to "
        f"{manifest.max_length} tokens. {how_read}\n\n{listed}\n\n"
        f"{fenced(how_to, 'python')}\n{served}",
        encoding="utf-8",
    )
