"""``headtune export`` without its command line: a run folder in, a folder of another tool out.

    load the run -> write the format aside -> read it back in its tool, ask the probes -> rename

Guarantees: nothing is published whose answers are not those of the run, to the format's tolerance;
nothing is overwritten unasked, and what is overwritten is an earlier export. Costs: one load, one
write, one load by the other tool, and the probe texts through both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError

from headtune.errors import ArtifactError, DataNotFoundError, ExportError, HeadtuneError, option
from headtune.export.card import check_export_target, write_card, write_record
from headtune.export.formats import Measured, Notes, find_format
from headtune.export.proof import Agreement, agreement_of, require
from headtune.export.source import Source, open_source
from headtune.files.claims import claimed
from headtune.files.publish import publish, recover, staging
from headtune.options import MachineConfig
from headtune.progress import Progress, SilentProgress

__all__ = ["Exported", "export_run"]


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export: where it is, how large, and how near the run's own answers."""

    path: Path
    format: str
    quantize: str | None
    bytes: int
    agreement: Agreement
    tool: str
    facts: tuple[str, ...]
    measured: Measured = field(default_factory=Measured)


def export_run(
    run: str | Path,
    to: str,
    out: str | Path,
    *,
    quantize: str | None = None,
    label_word: Sequence[str] = (),
    validation_file: str | Path | None = None,
    overwrite: bool = False,
    model: str | None = None,
    machine: MachineConfig | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write a run in the format ``to``.

    Args:
        run: A run folder.
        to: A name of ``formats.FORMATS``.
        out: Folder to write.
        quantize: A number format that ``to`` can round weights to.
        label_word: ``label=word`` items: which token answers for a label in a language model.
        validation_file: A labelled table to measure on, where the run keeps no validation texts.
        model: Where the base model is, if not where the manifest says.
        machine: Whether code of the model named so may run; it is loaded on the CPU in any case.

    Raises:
        DataError: ``validation_file`` cannot be used.
        ExportError: The format cannot express this classifier; the reason is in the message.
        ProbeError: The written export answers differently; both numbers are in the message.
        ArtifactError, ModelError: The run cannot be loaded, or ``out`` not be written.
        MissingDependencyError: The format's library is not installed.
    """
    progress = progress or SilentProgress()
    out = Path(out)
    own_options = {"label_word": label_word} if label_word else {}
    row, tolerance = find_format(to, quantize, own_options)
    if validation_file is not None and quantize is None and "label_word" not in row.options:
        raise ExportError(
            f"Nothing is measured on texts with {option('to', to)}, so a table is of no use.",
            option="validation_file",
            way_out=f"Leave out {option('validation_file')}.",
        )
    if validation_file is not None and not Path(validation_file).is_file():
        raise DataNotFoundError(f"There is no file {validation_file}.", option="validation_file")
    recover(out)
    check_export_target(out, overwrite=overwrite)
    progress.stage("Loading the run")
    texts = None if validation_file is None else Path(validation_file)
    source = open_source(Path(run), model=model, machine=machine, validation_file=texts)
    try:
        with claimed(out), staging(out) as work:
            progress.stage(f"Writing {to}")
            notes = row.writer()(source, work, **own_options) or Notes()
            cost = None
            if quantize is not None:
                from headtune.export.cost import round_and_measure  # and with it, how to read data

                progress.stage(f"Rounding to {quantize}, and measuring what it costs")
                cost = round_and_measure(source, row, work)
            progress.stage(f"Asking {row.tool} the probe texts")
            found = row.answerer()(source, work, source.texts)
            agreement = agreement_of(source.probabilities, found, source.task)
            require(agreement, tolerance, f"export to {to}")
            facts = [*_facts(source, row.tool, agreement), *notes.facts]
            measured: Measured = {**notes.measured}
            if cost is not None:
                facts.append(cost.sentence)
                measured["validation"] = cost.figures
            manifest = source.artifact.manifest
            write_record(work, to, quantize, manifest, agreement, measured)
            write_card(work, to, row, manifest, facts, str(out), source.base_name)
            size = _settle(work)
            publish(work, out, durable=False)
    except (OSError, SafetensorError) as error:  # of which a full disk is one, too
        if isinstance(error, HeadtuneError):
            raise
        raise ArtifactError(f"{out} cannot be written: {error}.", option="out") from error
    return Exported(out, to, quantize, size, agreement, row.tool, tuple(facts), measured)


def _facts(source: Source, tool: str, agreement: Agreement) -> list[str]:
    """What was measured, in sentences."""
    special = source.n_with_special
    written_out = f", {special} of them full of special tokens," if special else ""
    facts = [f"Asked {agreement.n_texts} probe texts{written_out} through {tool}: {agreement}."]
    if source.temperature != 1.0:
        facts.append(
            f"The probabilities are calibrated: the head was divided by {source.temperature:.4g}."
        )
    manifest = source.artifact.manifest
    if manifest.thresholds or manifest.abstain_below is not None:
        facts.append(
            "The run decides by more than the largest probability, which is left to you here: "
            f"thresholds {manifest.thresholds or 'none'}, unsure below {manifest.abstain_below}."
        )
    return facts


def _settle(folder: Path) -> int:
    """Give every file the rights of a new one (safetensors writes for the owner only); the size."""
    rights = (folder / "README.md").stat().st_mode
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        path.chmod(rights)
    return sum(path.stat().st_size for path in files)
