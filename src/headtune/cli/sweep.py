"""``headtune sweep``: many settings on the frozen layers of one run, and the best one's classifier.

1. what is searched, and what all trials share    sweep/space.py, one ``RunConfig``
2. ``run_sweep`` does the work                    progress on stderr
3. a table of the trials, the winner's report     result on stdout
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import CycloptsError, Group, Parameter
from rich.text import Text

from headtune.cli.common import GENERAL, DebugFlag, JsonFlag, print_json, results, say, waiting
from headtune.cli.options import ALL, takes_options
from headtune.cli.recipe import load_recipe, merge
from headtune.errors import ConfigError, MissingDependencyError
from headtune.wording.commands import predict_command

if TYPE_CHECKING:
    from headtune.sweep.run import Sweep
    from headtune.sweep.space import Space
    from headtune.wording.tables import Table

__all__ = ["sweep"]

SEARCHED = Group("Searched (a value, several: a,b,c, or a range: low..high)", sort_key=1.5)

SHARED = (
    "max_steps",
    "schedule",
    "max_gradient_norm",
    "evaluations_per_epoch",
    "early_stopping",
    "best_metric",
    "seed",
)
"""Training options that all trials share."""


def _searched(help_text: str) -> Parameter:
    return Parameter(group=SEARCHED, help=help_text, show_default=False)


@takes_options(data=ALL, tokens=ALL, model=ALL, machine=ALL, train=SHARED, decide=ALL, report=ALL)
def sweep(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            group=GENERAL,
            help="As for headtune train. May come from the recipe instead.",
        ),
    ] = None,
    /,
    *,
    tune: Annotated[
        str | None,
        _searched("Depths to train: head, last-N. By default head,last-1,last-2."),
    ] = None,
    learning_rate: Annotated[
        str | None,
        _searched("Peak learning rate, a range by ratio. By default 1e-5..1e-3."),
    ] = None,
    batch_size: Annotated[
        str | None, _searched("Examples per optimizer step, a range by ratio.")
    ] = None,
    epochs: Annotated[str | None, _searched("Passes over the training part.")] = None,
    weight_decay: Annotated[str | None, _searched("Decay of AdamW on weight matrices.")] = None,
    warmup: Annotated[
        str | None, _searched("A share of all steps when below 1, else a number of steps.")
    ] = None,
    trials: Annotated[int, Parameter(group=GENERAL, help="Settings to try.")] = 20,
    time: Annotated[
        str | None,
        Parameter(group=GENERAL, help="Stop trying after so long: 90s, 10m, 2h."),
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(
            group=GENERAL,
            help="Folder to write. By default runs/, the name of DATA, and -sweep.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        Parameter(group=GENERAL, help="Recipe: a YAML file of options. Flags win over it."),
    ] = None,
    overwrite: Annotated[
        bool,
        Parameter(group=GENERAL, negative="", show_default=False, help="Replace an earlier sweep."),
    ] = False,
    resume: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Go on with a sweep that was stopped, or add trials to a finished one.",
        ),
    ] = False,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Try many settings on the same frozen layers; keep the best one's classifier.

    For example:
      headtune sweep messages.csv
      headtune sweep messages.csv --tune last-1,head --learning-rate 1e-5..1e-3
      headtune sweep messages.csv --batch-size 8,16,32 --trials 50 --time 10m
      headtune sweep messages.csv --trials 40 --resume

    The frozen layers run once for all trials. Trials are ranked on the
    validation part, hopeless ones are stopped early, and the test part is
    scored once, for the best. Its run is in OUT/best. Ctrl-C loses the
    running trial only; --resume goes on.
    """
    from headtune.sweep.space import seconds_of

    given = {
        "tune": tune, "learning_rate": learning_rate, "batch_size": batch_size,
        "epochs": epochs, "weight_decay": weight_decay, "warmup": warmup,
    }  # fmt: skip
    space = _space(given)
    if trials < 1:
        raise ConfigError(f"--trials must be at least 1; received {trials}.")
    seconds = None if time is None else seconds_of(time)
    recipe = load_recipe(config) if config else {}
    if source is None and "source" not in recipe:
        raise CycloptsError(msg="headtune sweep needs DATA: headtune sweep messages.csv.")
    run_config = merge(recipe, source, options)
    folder = out or Path("runs") / f"{_name(run_config.source)}-sweep"
    if find_spec("optuna") is None:
        raise MissingDependencyError("headtune sweep needs Optuna: pip install 'headtune[sweep]'")
    with waiting("Starting"):
        from headtune.cli.progress import ConsoleProgress
        from headtune.sweep.run import run_sweep

    with ConsoleProgress() as progress:
        found = run_sweep(
            run_config,
            space,
            out=folder,
            trials=trials,
            seconds=seconds,
            overwrite=overwrite,
            resume=resume,
            progress=progress,
        )
    if json:
        print_json(found.to_dict(), indent=2)
    else:
        _print(found)
    _say_what_next(folder, run_config.data.template)


def _space(given: dict[str, str | None]) -> "Space":
    """What is searched; a setting that is not named has the value that all trials share."""
    from headtune.sweep.space import SETTINGS, parse_space

    defaults = {"tune": "head,last-1,last-2", "learning_rate": "1e-5..1e-3"}
    texts = defaults | {name: text for name, text in given.items() if text is not None}
    return parse_space({name: texts[name] for name in SETTINGS if name in texts})


def _name(source: str) -> str:
    from headtune.cli.train import default_out

    return default_out(source).name


def _print(found: "Sweep") -> None:
    from headtune.report import render_report

    console = results()
    console.print(_table(found))
    console.print()
    console.print(Text(found.sentence()), width=min(console.width, 100))
    console.print()
    render_report(found.report, console)


def _table(found: "Sweep") -> "Table":
    """A line a trial, the best first."""
    from headtune.wording.numbers import duration, percent
    from headtune.wording.tables import plain_table

    settings = [name.replace("_", " ") for name in found.winner.settings]
    measured = ("loss", "accuracy", "macro F1", "looks", "time", "")
    table = plain_table("trial", *settings, *measured)
    table.columns[0].justify = "right"
    for trial in found.trials:
        metrics = trial.metrics
        figures = ["", "", ""]
        if metrics is not None:
            figures = [f"{metrics['loss']:.4f}", percent(metrics["accuracy"])]
            figures.append(percent(metrics["macro_f1"]))
        remark = "best" if trial is found.winner else _REMARKS.get(trial.state, "")
        values = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in trial.settings.values()]
        table.add_row(
            str(trial.number), *values, *figures, str(trial.n_evaluations),
            duration(trial.seconds), remark, style="bold" if trial is found.winner else None,
        )  # fmt: skip
    return table


_REMARKS = {"stopped": "stopped early", "time": "out of time", "failed": "loss not finite"}


def _say_what_next(folder: Path, template: str | None) -> None:
    say(f"\nWritten to {folder}")
    for name, text in (
        ("sweep.json", "all trials, for machines"),
        ("sweep.png", "a picture of them"),
        ("trials", "settings and history of each"),
        ("best", "the best one's run"),
    ):
        say(f"  {name:<16}{text}")
    say(f"\nTry it:\n  {predict_command(str(folder / 'best'), template)}")
