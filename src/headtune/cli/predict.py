"""``headtune predict``: the label of a few texts, or of every row of a table.

Which arguments are texts and which is a table says texts.py; what fills the fields of a template,
fields.py. Texts go through the model together and come back in order. A table streams through: it
keeps its columns and gains the label and a probability for each label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import CycloptsError, Parameter

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
    say,
    show,
    waiting,
)
from headtune.cli.fields import Fields, fields_of, texts_with_fields
from headtune.cli.options import STAGE_OF, takes_options
from headtune.cli.texts import TextIs, table_in
from headtune.errors import ConfigError, PredictionError
from headtune.options import DataConfig, DecideConfig
from headtune.options.written import parse_shares

if TYPE_CHECKING:
    from headtune.predict import Predictor
    from headtune.tasks.decision import RuleChanges
    from headtune.types import Prediction

__all__ = ["data_config", "load_predictor", "predict"]


@takes_options(data=READING, machine=RUNNING, decide=DECIDING)
def predict(
    run: RunFolder,
    /,
    *texts: Annotated[
        str,
        Parameter(
            name="TEXT...",
            group=GENERAL,
            help="Texts; or one FILE (CSV, JSON, Parquet, a workbook, …), - for standard input.",
        ),
    ],
    text_is: TextIs = (),
    field: Fields = (),
    out: Annotated[
        Path | None,
        Parameter(
            group=GENERAL, help="With FILE: where to write, CSV, JSONL or Parquet by its ending."
        ),
    ] = None,
    safe_csv: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="With FILE: in CSV, an apostrophe before cells that spreadsheets would run.",
        ),
    ] = False,
    model: BaseModel = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Classify texts, or the rows of a table, with a trained classifier.

    For example:
      headtune predict runs/messages "Congratulations, you won a prize!"
      headtune predict runs/messages "First text" "Second text" --json
      headtune predict runs/messages new.csv --out labelled.csv
      headtune predict runs/messages new.csv --threshold spam=0.9 --out labelled.csv
      cat new.csv | headtune predict runs/messages - > labelled.csv
      headtune predict runs/messages new.csv --json | jq .predicted_label
      headtune predict runs/messages -- "-5 degrees tonight" "see data.csv"
      headtune predict runs/tweets --field keyword=fire "home at six"

    One argument that is a file is read as a table; so is - (standard input).
    What only looks like a file or a folder is an error; --text-is "data.csv",
    or -- before it, makes a text of it, as scripts should of every text.
    A table keeps its columns and gains the label and a probability for each
    label. With --json each text or row is an object.
    """
    if not (texts or text_is or field):
        raise CycloptsError(msg='Give a text or a file: headtune predict RUN "Your text".')
    table, fields = table_in(texts, texts_beside=bool(text_is)), fields_of(field)
    if table is not None:
        if fields:
            raise ConfigError("--field is for texts; a FILE has its columns.")
        _predict_table(
            lambda: load_predictor(run, model, options),
            table,
            out,
            as_json=json,
            safe_csv=safe_csv,
            data=data_config(options),
        )
    else:
        texts = (*texts, *text_is)
        _check_texts(texts, out, safe_csv)
        _predict_texts(lambda: load_predictor(run, model, options), texts, fields, json)


def load_predictor(run: Path, model: str | None, options: dict[str, Any]) -> "Predictor":
    """The classifier of a run folder, with the options of the model and decision stages given."""
    from headtune.predict import Predictor

    given = {name: value for name, value in options.items() if STAGE_OF[name] == "machine"}
    predictor = Predictor.load(run, **given, **({"model": model} if model else {}))
    changes = _rule_changes(options)
    return predictor.deciding(changes) if changes else predictor


def _rule_changes(options: dict[str, Any]) -> "RuleChanges":
    """What the options of the decision stage change in the run's rule; checked as in training."""
    given = {name: value for name, value in options.items() if STAGE_OF[name] == "decide"}
    decide = DecideConfig(**given)
    changes: RuleChanges = {}
    if "threshold" in given:
        changes["thresholds"] = parse_shares("threshold", decide.threshold)
    if "abstain_below" in given:
        changes["abstain_below"] = decide.abstain_below
    return changes


def data_config(options: dict[str, Any]) -> DataConfig:
    """How to read a table, from the options of the data stage that were given."""
    return DataConfig(
        **{name: value for name, value in options.items() if STAGE_OF[name] == "data"}
    )


def _predict_table(
    load: Callable[[], "Predictor"],
    table: str,
    out: Path | None,
    *,
    as_json: bool,
    safe_csv: bool,
    data: DataConfig,
) -> None:
    with waiting("Starting"):
        from headtune.cli.progress import ConsoleProgress
        from headtune.cli.tables import counts_line
        from headtune.predict import predict_file

    with ConsoleProgress() as progress:
        progress.stage("Loading the model")
        predictor = load()
        if predictor.note:
            progress.say(predictor.note)
        summary = predict_file(
            predictor,
            table,
            out=out,
            as_json=as_json,
            safe_csv=safe_csv,
            data=data,
            progress=progress,
        )
    if out is None:
        say(counts_line(summary))
        return
    if as_json:
        print_json(summary)
    else:
        show(counts_line(summary))
    say(f"Written to {out}")


def _check_texts(texts: Sequence[str], out: Path | None, safe_csv: bool) -> None:
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise PredictionError(
                f"Text {number} of {len(texts)} is empty; there is nothing to classify."
            )
    if out is not None:
        raise ConfigError("--out is for a FILE; the labels of texts are printed.")
    if safe_csv:
        raise ConfigError("--safe-csv is for a FILE; the labels of texts are printed.")


def _predict_texts(
    load: Callable[[], "Predictor"],
    texts: Sequence[str],
    fields: Mapping[str, str],
    as_json: bool,
) -> None:
    with waiting("Loading the model"):
        from headtune.cli.tables import prediction_lines, predictions_table

        predictor = load()
        items = texts_with_fields(predictor.template, texts, fields)
        predictions, whole = predictor.predict(items), predictor.whole(items)
    if predictor.note:
        say(predictor.note)
    if as_json:
        for text, prediction in zip(whole, predictions, strict=True):
            print_json({"text": text, **_answer(prediction)})
    elif len(whole) == 1:
        show("\n".join(prediction_lines(predictions[0])))
    else:
        results().print(predictions_table(whole, predictions))


def _answer(prediction: "Prediction") -> dict[str, object]:
    """Its fields; the set of labels only where the run has such."""
    answer = asdict(prediction)
    return {k: value for k, value in answer.items() if k != "label_set" or value is not None}
