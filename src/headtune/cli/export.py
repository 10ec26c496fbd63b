"""``headtune export``: a trained classifier for transformers, PEFT, ONNX Runtime and others."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headtune.cli.common import (
    GENERAL,
    BaseModel,
    DebugFlag,
    JsonFlag,
    RunFolder,
    TrustFlag,
    machine_that_trusts,
    print_json,
    say,
    show,
    waiting,
)
from headtune.wording.numbers import size

__all__ = ["export"]

FormatName = Literal["transformers", "peft", "onnx", "openvino", "causal-lm", "gguf"]


def export(
    run: RunFolder,
    /,
    *,
    to: Annotated[
        FormatName, Parameter(group=GENERAL, help="The format; docs/export.md explains each.")
    ],
    out: Annotated[
        Path | None,
        Parameter(group=GENERAL, help="Folder to write. By default RUN-FORMAT, beside RUN."),
    ] = None,
    quantize: Annotated[
        Literal["int8", "f16"] | None,
        Parameter(
            group=GENERAL,
            help="Round weights: int8 with onnx, f16 with gguf. What it costs is measured.",
        ),
    ] = None,
    label_word: Annotated[
        tuple[str, ...],
        Parameter(
            group=GENERAL,
            negative="",
            help="With causal-lm and gguf, the word that answers for a label: spam=yes. It must "
            "be one token. Without it, one is chosen.",
        ),
    ] = (),
    validation_file: Annotated[
        Path | None,
        Parameter(
            group=GENERAL,
            help="Labelled table to measure on what rounding costs. Without it, the validation "
            "texts that the run folder keeps.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        Parameter(
            group=GENERAL, negative="", show_default=False, help="Replace an earlier export."
        ),
    ] = False,
    model: BaseModel = None,
    trusted: TrustFlag = False,
    json: JsonFlag = False,
    debug: DebugFlag = False,
) -> None:
    """Write a trained classifier in the format of another tool.

    For example:
      headtune export runs/messages --to transformers
      headtune export runs/messages --to peft --out exports/messages
      headtune export runs/messages --to onnx --quantize int8
      headtune export runs/messages --to causal-lm --label-word spam=yes

    What was written is read back by that tool and asked the probe texts; if its
    answers are not those of the run, nothing is left behind.
    """
    with waiting("Starting"):
        from headtune.cli.progress import ConsoleProgress
        from headtune.export import export_run

    rounded = f"-{quantize}" if quantize else ""
    out = out or run.parent / f"{run.resolve().name}-{to}{rounded}"
    with ConsoleProgress() as progress:
        exported = export_run(
            run,
            to,
            out,
            quantize=quantize,
            label_word=label_word,
            validation_file=validation_file,
            overwrite=overwrite,
            model=model,
            machine=machine_that_trusts(trusted),
            progress=progress,
        )
    if json:
        print_json(asdict(exported), indent=2)
        return
    show(str(out))
    say(f"Wrote {size(exported.bytes)}. {' '.join(exported.facts)}")
    say(f"How to load it: {out / 'README.md'}")
