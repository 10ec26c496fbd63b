"""``headtune compare``: several runs side by side on the same labelled texts.

Without DATA the answers that the runs kept when they were tested are compared, in seconds and
without a model; with DATA every run is loaded, one after the other, and classifies that table.
The last argument is DATA if it is no folder and looks like a table.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import CycloptsError, Parameter

from headtune.cli.common import (
    GENERAL,
    READING,
    RUNNING,
    BaseModel,
    DebugFlag,
    JsonFlag,
    print_json,
    results,
    say,
    waiting,
    write_page,
)
from headtune.cli.options import takes_options
from headtune.cli.predict import data_config, load_predictor
from headtune.cli.texts import ends_as_files_do, file_of

if TYPE_CHECKING:
    from headtune.report.answers import Answers
    from headtune.report.entries import ComparedRuns

__all__ = ["compare"]


@takes_options(data=(*READING, "label", "label_file"), machine=RUNNING)
def compare(
    *runs: Annotated[
        str,
        Parameter(
            name="RUN...",
            group=GENERAL,
            help="Two or more folders that headtune train wrote; then, if wanted, DATA: a labelled "
            "table (CSV, JSON, Parquet, a workbook, …) to test all of them on.",
        ),
    ],
    html: Annotated[
        Path | None, Parameter(group=GENERAL, help="Also write the comparison as a page.")
    ] = None,
    rows: Annotated[
        int, Parameter(group=GENERAL, help="Rows listed on which the runs disagree.")
    ] = 10,
    model: BaseModel = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Compare runs on the same texts: which is better, where they disagree, what they cost.

    For example:
      headtune compare runs/small runs/large
      headtune compare runs/small runs/large held-back.csv
      headtune compare runs/small runs/large --html comparison.html
      headtune compare runs/small runs/large --rows 100 --json > comparison.json

    Without a table, the answers that the runs kept at their test are compared,
    on the texts that all of them were tested on.
    """
    folders, table = _told_apart(runs)
    if len(folders) < 2:
        raise CycloptsError(msg="Give two runs or more: headtune compare runs/small runs/large.")
    with waiting("Starting"):
        from headtune.cli.tables import print_comparison
        from headtune.report.compare import compare_answers
        from headtune.report.contenders import costs_of, kept_answers, names_of

        named = dict(zip(names_of(folders), folders, strict=True))
        costs = {name: costs_of(folder) for name, folder in named.items()}
    if table is None:
        part, answers = kept_answers(named)
        source = f"the {part} parts of the runs"
    else:
        source = table
        answers, pace = _answer(named, table, model, options)
        for name, rate in pace.items():
            costs[name]["predict_examples_per_second"] = rate
    found = compare_answers(answers, listed=rows)
    comparison: ComparedRuns = {"source": source, **found, "costs": costs}
    if html is not None:
        from headtune.report.page import comparison_page

        write_page(comparison_page(comparison), html)
    if json:
        print_json(comparison, indent=2)
    else:
        print_comparison(comparison, results())
    if html is not None:
        say(f"\nWritten to {html}")


def _told_apart(arguments: Sequence[str]) -> tuple[list[Path], str | None]:
    """The run folders, and the table if the last argument is one."""
    *others, last = arguments or ("",)
    name = file_of(last)
    path = Path(name)
    is_table = name == "-" or path.is_file() or ends_as_files_do(name)
    if is_table and not path.is_dir():
        return [Path(run) for run in others], last
    return [Path(run) for run in arguments], None


def _answer(
    runs: dict[str, Path], table: str, model: str | None, options: dict[str, Any]
) -> tuple[dict[str, "Answers"], dict[str, float]]:
    """Every run's answers to the table, and how many texts a second it classified."""
    from headtune.cli.progress import ConsoleProgress
    from headtune.predict import answer_file
    from headtune.report.answers import Answers

    answers, pace = {}, {}
    with ConsoleProgress() as progress:
        for name, run in runs.items():
            progress.stage(f"Loading {name}")
            predictor = load_predictor(run, model, options)
            start = time.perf_counter()
            examples, _, probabilities = answer_file(
                predictor, table, data_config(options), progress
            )
            pace[name] = len(examples) / (time.perf_counter() - start)
            answers[name] = Answers.of(examples, probabilities, predictor.labels, predictor.task)
    return answers, pace
