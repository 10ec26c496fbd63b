"""``headtune bench``: how fast a run or a model is here, against what the machine can do.

Rates of prediction and training, their useful floating-point operations and the share of the
machine's matrix product that these are; latency, load time and peak memory. ``headtune.bench``
measures; this file prints.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import CycloptsError, Parameter
from rich.text import Text

from headtune.cli.common import (
    GENERAL,
    READING,
    RUNNING,
    BaseModel,
    DebugFlag,
    JsonFlag,
    print_json,
    results,
    waiting,
)
from headtune.cli.options import STAGE_OF, takes_options
from headtune.options import DataConfig, MachineConfig, ModelConfig
from headtune.wording.numbers import size

if TYPE_CHECKING:
    from headtune.bench.result import BenchResult
    from headtune.wording.tables import Table

__all__ = ["bench"]


@takes_options(
    data=READING, model=("revision", "random_weights"), machine=RUNNING, train=("batch_size",)
)
def bench(
    name: Annotated[
        str,
        Parameter(
            name="RUN|MODEL",
            group=GENERAL,
            help="Folder that headtune train wrote; or a model: alias, folder, GGUF file, hub id.",
        ),
    ],
    source: Annotated[
        str,
        Parameter(
            name="FILE",
            group=GENERAL,
            help="Table of texts to measure with (CSV, JSON, Parquet, a workbook, …), or sms-spam.",
        ),
    ] = "sms-spam",
    /,
    *,
    seconds: Annotated[
        float,
        Parameter(group=GENERAL, help="Time for measuring, after the model is loaded."),
    ] = 45.0,
    model: BaseModel = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Measure how fast a classifier or a model is on this machine.

    For example:
      headtune bench runs/messages
      headtune bench smollm2-135m
      headtune bench runs/messages tweets.csv --text text --json

    Prediction, LoRA training and single texts are timed in turn, in about a
    minute, and set against the fastest matrix product of this machine. Other
    work on the machine makes the figures worse; the model is not changed.
    """
    if seconds <= 0:
        raise CycloptsError(msg=f"--seconds must be above 0; received {seconds:g}.")
    with waiting("Starting"):
        from headtune.bench.measure import bench as measure
        from headtune.cli.progress import ConsoleProgress

    given: dict[str, dict[str, Any]] = {name: {} for name in ("data", "model", "machine", "train")}
    for option, value in options.items():
        given[STAGE_OF[option]][option] = value
    with ConsoleProgress() as progress:
        found = measure(
            name,
            source=source,
            data=DataConfig(**given["data"]),
            model=model,
            options=ModelConfig(**given["model"]),
            machine=MachineConfig(**given["machine"]),
            seconds=seconds,
            progress=progress,
            **given["train"],
        )
    if json:
        print_json(found, indent=2)
        return
    console = results()
    for heading, text in _facts(found):
        console.print(Text(f"{heading:<13}{text}"), soft_wrap=True)
    console.print()
    console.print(_rates(found))


def _facts(found: "BenchResult") -> Iterator[tuple[str, str]]:
    """What was measured, and what is no rate."""
    texts, latency, memory = found["texts"], found["latency"], found["peak_memory_bytes"]
    kind = "" if found["is_run"] else ", with an untrained head"
    yield "model", f"{found['name']}{kind}; {found['parameters']:,} parameters"
    yield "computing in", f"{found['reason']}; {found['device']}, threads: {found['threads']}"
    yield (
        "texts",
        f"{texts['source']}: {texts['texts']:,}, of {texts['tokens'] / texts['texts']:.0f} tokens "
        f"on average, {texts['longest']:,} at most",
    )
    yield "loading", f"{found['load_seconds']:.1f} s"
    yield (
        "one text",
        f"{1000 * latency['median_seconds']:.1f} ms, the slowest tenth from "
        f"{1000 * latency['slowest_tenth_seconds']:.1f} ms ({latency['texts']} texts)",
    )
    known = {when: n for when, n in memory.items() if n is not None}
    if len(known) == len(memory):
        yield (
            "peak memory",
            f"{size(known['loaded'])} loaded, {size(known['prediction'])} "
            f"predicting, {size(known['training'])} training",
        )


def _rates(found: "BenchResult") -> "Table":
    """Prediction and training, above the matrix products they are measured against."""
    from headtune.wording.tables import plain_table

    table = plain_table("", "examples/s", "tokens/s", "useful GFLOP/s", "of matrix product")
    training = found["training"]
    for name, figures in (
        ("prediction", found["prediction"]),
        (f"LoRA training, batch {training['batch_size']}", training),
    ):
        table.add_row(
            name,
            f"{figures['examples_per_second']:,.1f}",
            f"{figures['tokens_per_second']:,.0f}",
            f"{figures['useful_flops_per_second'] / 1e9:,.1f}",
            _share(figures["share_of_matrix_rate"]),
        )
    for format_name, rate in found["matrix_flops_per_second"].items():
        known = "not known" if rate is None else f"{rate / 1e9:,.1f}"
        share = "100 %" if rate is not None and format_name == found["dtype"] else ""
        table.add_row(f"matrix product, {format_name}", "", "", known, share)
    return table


def _share(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f} %"
