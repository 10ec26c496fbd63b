"""``headtune evaluate``: how well a trained classifier does on a labelled table it has not seen."""

from typing import Annotated, Any

from cyclopts import Parameter

from headtune.cli.common import (
    DECIDING,
    GENERAL,
    READING,
    RUNNING,
    BaseModel,
    DebugFlag,
    JsonFlag,
    RunFolder,
    print_json,
    results,
    waiting,
)
from headtune.cli.options import takes_options
from headtune.cli.predict import data_config, load_predictor

__all__ = ["evaluate"]


@takes_options(data=(*READING, "label", "label_file"), machine=RUNNING, decide=DECIDING)
def evaluate(
    run: RunFolder,
    source: Annotated[
        str,
        Parameter(
            name="FILE",
            group=GENERAL,
            help="Labelled table (CSV, JSON, Parquet, a workbook, …), or - for standard input.",
        ),
    ],
    /,
    *,
    model: BaseModel = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Measure a trained classifier on a labelled table.

    For example:
      headtune evaluate runs/messages held-back.csv
      headtune evaluate runs/messages held-back.csv --text body --label topic
      headtune evaluate runs/messages held-back.csv --json > metrics.json
      headtune evaluate runs/messages held-back.csv --compute int8

    With --compute int8 the table is classified twice, and what 8-bit integers
    cost in accuracy is said.
    """
    with waiting("Starting"):
        from headtune.cli.progress import ConsoleProgress
        from headtune.cli.tables import print_metrics
        from headtune.predict import evaluate_file, evaluate_in_int8

    with ConsoleProgress() as progress:
        progress.stage("Loading the model")
        in_int8 = options.pop("compute", "plain") == "int8"
        predictor = load_predictor(run, model, options)
        data = data_config(options)
        if in_int8:
            metrics = evaluate_in_int8(predictor, source, data=data, progress=progress)
        else:
            metrics = evaluate_file(predictor, source, data=data, progress=progress)
    if json:
        print_json(metrics, indent=2)
    else:
        print_metrics(metrics, results())
