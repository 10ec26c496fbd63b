"""``headtune cache``: what frozen layers left on disk for later runs, and how to be rid of it."""

from datetime import datetime
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.table import Table
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
    from headtune.cache import clear_cache, trunks_folder

    n_bytes = clear_cache()
    if as_json:
        print_json({"folder": str(trunks_folder()), "freed_bytes": n_bytes})
    else:
        say(f"Freed {_size(n_bytes)} in {trunks_folder()}")


def _list(as_json: bool) -> None:
    from dataclasses import asdict

    from headtune.cache import cached_trunks, trunks_folder

    trunks = cached_trunks()
    if as_json:
        values = [asdict(trunk) for trunk in trunks]
        print_json({"folder": str(trunks_folder()), "trunks": values}, indent=2)
        return
    if not trunks:
        say(f"Nothing is kept in {trunks_folder()}")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("model", overflow="fold")
    table.add_column("frozen", no_wrap=True)
    for heading in ("texts", "size", "last used"):
        table.add_column(heading, justify="right", no_wrap=True)
    for trunk in trunks:
        when = datetime.fromtimestamp(trunk.last_used).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            Text(trunk.model), trunk.depth, f"{trunk.n_texts:,}", _size(trunk.n_bytes), when
        )
    results().print(table)
    say(f"\n{_size(sum(trunk.n_bytes for trunk in trunks))} in {trunks_folder()}")


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
