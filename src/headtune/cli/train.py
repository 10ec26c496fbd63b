"""``headtune train``: a labelled table in, a tested classifier in a folder out.

    1. recipe, environment and flags become one ``RunConfig``    recipe.py
    2. ``run.train_run`` does the work and writes the folder     progress on stderr
    3. the report is printed                                     result on stdout
    4. what was written, and what to try next                    on stderr

``--dry-run`` stops before anything is trained and prints what would be done.
"""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from cyclopts import CycloptsError, Parameter

from headtune.cli.common import (
    GENERAL,
    DebugFlag,
    JsonFlag,
    print_json,
    results,
    say,
    show,
    waiting,
)
from headtune.cli.options import ALL, takes_options
from headtune.cli.recipe import load_recipe, merge
from headtune.files.addresses import split_address
from headtune.options import MachineConfig, RunConfig
from headtune.processes import is_main
from headtune.wording.commands import predict_command

__all__ = ["default_out", "train"]

WRITTEN = {
    "report.html": "the report; open it in a browser",
    "report.json": "the report, for machines",
    "README.md": "the model card",
    "history.jsonl": "every logged loss",
    "curves.png": "a picture of losses and accuracies",
    "reliability.png": "a picture of how sure it is, and how right",
    "predictions.parquet": "its answers to the rows held back, for headtune compare",
    "train.csv": "the training part",
    "validation.csv": "the validation part",
    "test.csv": "the test part",
    "set_aside.csv": "rows that could not be used, and why",
}
"""Files of a run folder that a person opens."""


PREDICTING = ("compute", "exact")
TRAINING = tuple(field.name for field in fields(MachineConfig) if field.name not in PREDICTING)
"""Options of the machine; how predictions are computed is said when they are made."""


@takes_options(
    data=ALL, tokens=ALL, model=ALL, machine=TRAINING, tune=ALL, train=ALL, decide=ALL, report=ALL
)
def train(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            group=GENERAL,
            help="A table (CSV, JSON, Parquet, a workbook, …), a folder, a hub data set, - for "
            "standard input, or the built-in sms-spam. May come from the recipe instead.",
        ),
    ] = None,
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(group=GENERAL, help="Folder to write. By default runs/ and the name of DATA."),
    ] = None,
    config: Annotated[
        Path | None,
        Parameter(
            group=GENERAL,
            env_var="HEADTUNE_CONFIG",
            show_env_var=False,
            help="Recipe: a YAML file of options. Flags win over it.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Replace an earlier run, and forget an unfinished one.",
        ),
    ] = False,
    resume: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Go on from the last checkpoint of an unfinished run.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Read and check everything, print what would be done, train nothing.",
        ),
    ] = False,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Train a classifier on a labelled table, test it, and write it to a folder.

    For example:
      headtune train messages.csv
      headtune train messages.csv --text body --label topic --out runs/topics
      headtune train tweets.csv --tune lora --epochs 5 --balance weights
      headtune train --config recipes/spam-smollm2-last-block.yaml --dry-run

    Flags win over HEADTUNE_… variables (HEADTUNE_DEVICE=cpu), these over the
    recipe. Every switch has a --no- form, to overrule a recipe. Several values
    are given as --lora-targets q_proj v_proj, or q_proj,v_proj.

    On several GPUs:
      torchrun --nproc-per-node 2 -m headtune train messages.csv --tune lora
    """
    recipe = load_recipe(config) if config else {}
    if source is None and "source" not in recipe:
        raise CycloptsError(
            msg="headtune train needs DATA: headtune train messages.csv. "
            "To see it work, try the built-in headtune train sms-spam."
        )
    run_config = merge(recipe, source, options)
    if not is_main():
        _help(run_config, out or default_out(run_config.source), resume, dry_run)
    elif dry_run:
        _plan(run_config, out, overwrite, json)
    else:
        _train(run_config, out or default_out(run_config.source), overwrite, resume, json)


def default_out(source: str) -> Path:
    """``data/messages.csv`` -> ``runs/messages``, ``someone/tweets`` -> ``runs/tweets``."""
    file, _ = split_address(source)
    if file == "-":
        return Path("runs/stdin")
    name = Path(file).name
    return Path("runs") / (name.split(".")[0] or name.strip(".") or "run")


def _plan(config: RunConfig, out: Path | None, overwrite: bool, as_json: bool) -> None:
    with waiting("Planning"):
        from headtune.run.train import plan_run

        plan = plan_run(config, out=out, overwrite=overwrite)
    if as_json:
        print_json(plan, indent=2)
    else:
        import yaml

        show(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=100).rstrip())


def _help(config: RunConfig, out: Path, resume: bool, dry_run: bool) -> None:
    """What a process that was launched beside the main one does."""
    if not dry_run:
        from headtune.run.train import help_train

        help_train(config, out=out, resume=resume)


def _train(config: RunConfig, out: Path, overwrite: bool, resume: bool, as_json: bool) -> None:
    with waiting("Starting"):
        from headtune.cli.progress import ConsoleProgress
        from headtune.report import render_report
        from headtune.run.train import train_run

    with ConsoleProgress() as progress:
        report = train_run(config, out=out, overwrite=overwrite, resume=resume, progress=progress)
    if as_json:
        show((out / "report.json").read_text(encoding="utf-8").rstrip())
    else:
        render_report(report, results())
    _say_what_next(out, config.data.template)


def _say_what_next(out: Path, template: str | None) -> None:
    say(f"\nWritten to {out}")
    files = [(name, text) for name, text in WRITTEN.items() if (out / name).exists()]
    for name, text in files:
        say(f"  {name:<21}{text}")
    say(f"\nTry it:\n  {predict_command(str(out), template)}")
