"""``headtune inspect``: what is odd about a table, before any training."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from headtune.cli.common import (
    GENERAL,
    READING,
    DebugFlag,
    JsonFlag,
    print_json,
    results,
    say,
    waiting,
    write_page,
)
from headtune.cli.options import takes_options

__all__ = ["inspect"]

PARTS = ("split_column", "validation_file", "test_file")


@takes_options(data=(*READING, "label", "label_file", *PARTS))
def inspect(
    source: Annotated[
        str,
        Parameter(
            name="DATA",
            group=GENERAL,
            help="A table (CSV, JSON, Parquet, a workbook, …), a folder, a hub data set, - for "
            "standard input, or the built-in sms-spam.",
        ),
    ],
    /,
    *,
    model: Annotated[
        str | None,
        Parameter(group=GENERAL, help="Count lengths in tokens of this model, instead of words."),
    ] = None,
    max_length: Annotated[
        int | None,
        Parameter(group=GENERAL, help="Count the texts that are longer, in tokens or words."),
    ] = None,
    html: Annotated[
        Path | None,
        Parameter(group=GENERAL, help="Also write the findings as a page, one HTML file."),
    ] = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Look at a table before training: repeats, conflicts, leaks, oddities.

    For example:
      headtune inspect messages.csv
      headtune inspect tweets.csv --model smollm2-135m --max-length 64
      headtune inspect parted.csv --split-column part --html inspection.html
      headtune inspect messages.csv --json > findings.json
    """
    with waiting("Looking"):
        from headtune.inspection import inspect_table, render_inspection
        from headtune.options import DataConfig

        found = inspect_table(source, DataConfig(**options), model=model, max_length=max_length)
    if json:
        print_json(found.to_dict(), indent=2)
    else:
        render_inspection(found, results())
    if html is not None:
        from headtune.inspection.page import inspection_page

        write_page(inspection_page(found), html)
        say(f"\nWritten to {html}")
