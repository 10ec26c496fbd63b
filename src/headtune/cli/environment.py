"""Environment variables with our prefix: each is an option or one of those below, or an error.

``HEADTUNE_LERNING_RATE=1`` would otherwise be a run with another learning rate than was asked for.
Variables of options that the command does not have are left alone, as a shell's settings should be.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from headtune.cli.options import STAGE_OF
from headtune.errors import ConfigError

__all__ = ["PREFIX", "check_environment"]

PREFIX = "HEADTUNE_"

OTHERS = ("ATTENTION", "CACHE", "CONFIG", "LARGE", "TWEETS")
"""Which attention kernel, where the cache is, which recipe; the last two are for our own tests and
benchmarks."""


def check_environment(names: Iterable[str]) -> None:
    """Raises ``ConfigError`` on a variable that is no option, and names the nearest."""
    known = [PREFIX + name.upper() for name in (*STAGE_OF, *OTHERS)]
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name not in known:
            near = get_close_matches(name.upper(), known, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"The environment variable {name} is no option of headtune.",
                way_out=f"{meant}Otherwise: unset {name}",
            )
