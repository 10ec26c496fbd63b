"""``headtune cache``: what frozen layers left on disk for later runs, and how to be rid of it."""

from datetime import datetime
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from headtune.cli.common import GENERAL, DebugFlag, JsonFlag, print_json, results, say

__all__ = ["cache"]


def cache(
    action: Annotated[
        Literal["list", "clear"],
        Parameter(
            name="ACTION",
            group=GENERAL,
            help="list: a line for each model and depth. clear: remove everything.",
        ),
    ] = "list",
    /,
    *,
    json: JsonFlag = False,
    debug: DebugFlag = False,
) -> None:
    """Show or clear what frozen layers left on disk for later runs.

    For example:
      headtune cache
      headtune cache clear

    A run keeps what the frozen layers of a model made of its texts, so that
    another run with the same texts trains at once. --cache-limit of headtune
    train bounds the room that takes; HEADTUNE_CACHE moves it elsewhere.
    """
    if action == "clear":
        _clear(json)
    else:
        _list(json)


def _clear(as_json: bool) -> None:
    from headtune.model.frozen.kept_files import clear_cache, trunks_folder
    from headtune.wording.numbers import size

    n_bytes = clear_cache()
    if as_json:
        print_json({"folder": str(trunks_folder()), "freed_bytes": n_bytes})
    else:
        say(f"Freed {size(n_bytes)} in {trunks_folder()}")


def _list(as_json: bool) -> None:
    from dataclasses import asdict

    from headtune.model.frozen.kept_files import cached_trunks, trunks_folder
    from headtune.wording.numbers import size
    from headtune.wording.tables import plain_table

    trunks = cached_trunks()
    if as_json:
        values = [asdict(trunk) for trunk in trunks]
        print_json({"folder": str(trunks_folder()), "trunks": values}, indent=2)
        return
    if not trunks:
        say(f"Nothing is kept in {trunks_folder()}")
        return
    table = plain_table("model", "frozen", "texts", "size", "last used")
    table.columns[1].justify = "left"
    for trunk in trunks:
        when = datetime.fromtimestamp(trunk.last_used).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            Text(trunk.model), trunk.depth, f"{trunk.n_texts:,}", size(trunk.n_bytes), when
        )
    results().print(table)
    say(f"\n{size(sum(trunk.n_bytes for trunk in trunks))} in {trunks_folder()}")
