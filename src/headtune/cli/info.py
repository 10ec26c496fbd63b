"""``headtune info``: what a run is, what made it, from which data, how good, and what it needs.

And with ``--machine``, what this machine is to headtune: its formats, and how fast they are.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import CycloptsError, Parameter
from rich.text import Text

from headtune.cli.common import (
    GENERAL,
    BaseModel,
    DebugFlag,
    JsonFlag,
    RunFolder,
    TrustFlag,
    machine_that_trusts,
    print_json,
    results,
    waiting,
)
from headtune.wording.numbers import count, interval, percent, size
from headtune.wording.special_tokens import special_tokens_sentence

if TYPE_CHECKING:
    from headtune.artifact import LoadedArtifact, RunInfo
    from headtune.artifact.probes import ProbeResult
    from headtune.model.hardware.describe import MachineInfo

__all__ = ["info"]

MOST_LABELS = 10
"""Labels named one by one."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a load measured: files and base model as they were written, and the probes."""

    files: int
    base_model: bool
    device: str
    dtype: str
    probes: "ProbeResult"


def info(
    run: RunFolder | None = None,
    /,
    *,
    verify: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Load it: recheck the hash of every file and of the base model, and the probes.",
        ),
    ] = False,
    machine: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Show this machine instead: the number format that is fast on it, and how fast.",
        ),
    ] = False,
    remeasure: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="With --machine: time everything anew, when nothing else runs.",
        ),
    ] = False,
    model: BaseModel = None,
    trusted: TrustFlag = False,
    json: JsonFlag = False,
    debug: DebugFlag = False,
) -> None:
    """Show what a run is, what made it, how good it was, and what it needs.

    For example:
      headtune info runs/messages
      headtune info runs/messages --verify
      headtune info runs/messages --json
      headtune info --machine

    Without --verify nothing is loaded: this is what the folder says of itself,
    its seal checked. With it, a changed file is an error that names it.

    What is fast on this machine is timed once and kept in headtune's cache, so
    that every run computes in the same way; --machine shows it.
    """
    if machine == (run is not None) or (remeasure and not machine):
        raise CycloptsError(msg="Expected one of RUN and --machine [--remeasure].")
    if run is None:
        _show_machine(remeasure, json)
        return
    from headtune.artifact.info import describe_run

    described = describe_run(run, model=model)
    proof = _verified(run, model, trusted) if verify else None
    if json:
        print_json(asdict(described) | {"verified": proof and asdict(proof)}, indent=2)
        return
    _print(described, proof)


def _show_machine(remeasure: bool, as_json: bool) -> None:
    with waiting("Looking at the machine"):
        from headtune.model.hardware.describe import describe_machine

        found = describe_machine(remeasure=remeasure)
    if as_json:
        print_json(asdict(found), indent=2)
        return
    from headtune.wording.tables import facts_table

    table = facts_table()
    for name, text in _machine_facts(found):
        table.add_row(name, Text(text))
    results().print(table)


def _machine_facts(found: "MachineInfo") -> Iterator[tuple[str, str]]:
    yield "processor", f"{found.processor}, {count(found.cores, 'core')}"
    yield "torch", f"{found.torch}, {count(found.threads, 'thread')}"
    yield "device", found.device
    yield "computes in", found.reason
    for name, rate in found.matrix_flops_per_second.items():
        known = "not known: too busy to tell" if rate is None else f"{rate / 1e9:,.1f} GFLOP/s"
        yield f"multiplies {name}", known
    for name, kept in found.measured.items():
        yield "measured", f"{kept.when} UTC: {name}"
    yield "kept in", f"{found.kept_in}; headtune info --machine --remeasure makes it anew"


def _verified(run: Path, model: str | None, trusted: bool) -> Proof:
    """What a load measured. Raises what ``load_artifact`` does."""
    with waiting("Loading the run"):
        from headtune.artifact import load_artifact

        loaded: LoadedArtifact = load_artifact(
            run, model=model, options=machine_that_trusts(trusted)
        )
    return Proof(
        files=len(loaded.manifest.files),
        base_model=bool(loaded.manifest.base_model.sha256),
        device=str(loaded.compute.device),
        dtype=loaded.compute.dtype_name,
        probes=loaded.probes,
    )


def _print(info: "RunInfo", proof: Proof | None) -> None:
    from headtune.wording.tables import facts_table

    table = facts_table()
    for name, text in [
        ("run", str(info.path)),
        ("labels", _labels(info.labels)),
        ("model", f"{info.base_model} ({info.model_type}), tuned by {info.tune.get('tune')}"),
        ("reads", f"up to {count(info.max_length, 'token')} of a text; {_how_read(info)}"),
        ("", special_tokens_sentence(info.split_special_tokens)),
        ("decides", _decision(info)),
        ("made", f"{info.created} by headtune {info.headtune_version}, in {info.dtype}"),
        ("data", _data(info)),
        *_figures(info),
        ("holds", f"{size(info.bytes)} in {count(info.n_files, 'file')}; weights: {info.weights}"),
        ("needs", _needs(info)),
        ("", _libraries(info)),
        ("verified", _proof(proof)),
    ]:
        table.add_row(name, Text(text))
    results().print(table)


def _labels(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - MOST_LABELS:,} more" if len(names) > MOST_LABELS else ""
    return f"{len(names):,}: {', '.join(names[:MOST_LABELS])}{more}"


def _how_read(info: "RunInfo") -> str:
    return f"{info.attention} attention, {info.pooling} pooling"


def _decision(info: "RunInfo") -> str:
    parts = [f"temperature {info.temperature:.4g}"]
    parts += [f"{name} from {percent(value)}" for name, value in info.thresholds.items()]
    if info.abstain_below is not None:
        parts.append(f"unsure below {percent(info.abstain_below)}")
    if info.coverage is not None:
        parts.append(f"sets that hold the label of {percent(info.coverage)} of texts")
    return "; ".join(parts)


def _data(info: "RunInfo") -> str:
    read_as = ", ".join(f"{k} {v!r}" for k, v in info.columns.items() if v is not None)
    source = info.source or "texts given in Python"
    fingerprint = f"fingerprint {info.data_fingerprint[:16]}" if info.data_fingerprint else ""
    return "; ".join(part for part in (source, read_as, fingerprint) if part)


def _figures(info: "RunInfo") -> list[tuple[str, str]]:
    """A line for each part: after tuning, its interval, and before."""
    lines = []
    for part, after in info.after.items():
        text = (
            f"accuracy {percent(after.accuracy)} (95 % interval: {interval(*after.interval)}), "
            f"macro F1 {percent(after.macro_f1)}, log loss {after.log_loss:.3f}, "
            f"on {count(after.n, 'text')}"
        )
        if part in info.before:
            text += f"; before tuning {percent(info.before[part].accuracy)}"
        lines.append((part, text))
    return lines or [("figures", "none: it was not given a test")]


def _needs(info: "RunInfo") -> str:
    if info.needs is None:
        return "no base model: all weights are here"
    base = info.needs
    revision = f" at {base.revision[:12]}" if base.revision else ""
    if base.path is None or base.bytes is None:
        where = "not on this machine; if it is elsewhere: --model FOLDER"
    else:
        where = f"{base.path} ({size(base.bytes)})"
    return f"base model {base.name}{revision}, sha256 {base.sha256[:12]}: {where}"


def _libraries(info: "RunInfo") -> str:
    parts = []
    for name, library in info.libraries.items():
        here = "" if library.here == library.made_with else f" (here: {library.here or 'none'})"
        parts.append(f"{name} {library.made_with}{here}")
    return ", ".join(parts)


def _proof(proof: Proof | None) -> str:
    if proof is None:
        return "not now; --verify rechecks every hash and probe"
    probes = proof.probes
    base = " and the base model" if proof.base_model else ""
    return (
        f"{count(proof.files, 'file')}{base} are those that were written; "
        f"{count(probes.n_probes, 'probe')} in {proof.dtype} on {proof.device}: "
        f"probabilities differ by up to {probes.max_probability_difference:.1g}, "
        f"{count(probes.n_changed_labels, 'label')} changed"
    )
