"""An unfinished run: the hidden folder beside its target where checkpoints lie, and what made them.

It is what a killed run goes on from, if options and data are those that made the checkpoints: other
rows could be tested on that were trained on before.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict, cast

from headtune.errors import ConfigError, HeadtuneError, option
from headtune.files.plain_json import JsonObject, to_json
from headtune.files.whole_file import write_whole
from headtune.options import RunConfig

__all__ = ["UnfinishedRun", "check_same_data"]

ANEW = f"{option('overwrite', True)} without {option('resume', True)}"
"""How to leave what is unfinished behind."""


def check_same_data(before: object, now: object, source: str) -> None:
    """Raises ``ConfigError`` unless what is resumed was begun with the same rows and parts."""
    if before != now:
        raise ConfigError(
            f"The rows of {source} are not those that the unfinished work was begun with.",
            option="resume",
            way_out=f"Bring them back, or start anew: {ANEW}.",
        )


class Begun(TypedDict, total=False):
    """What a run was begun with: its options, as the version that began it knew them, and data."""

    config: Required[JsonObject]
    data_fingerprint: str


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """Where an unfinished run keeps its checkpoints, and the options that made them."""

    path: Path
    out: Path

    @classmethod
    def of(cls, out: Path) -> "UnfinishedRun":
        target = out.resolve()
        return cls(target.parent / f".{target.name}.training", out)

    @property
    def options(self) -> Path:
        return self.path / "options.json"

    def check(self, config: RunConfig, *, overwrite: bool, resume: bool) -> None:
        """Raises ``ConfigError`` where the user must choose."""
        before = self._recorded()
        if before is None:
            if resume:
                raise ConfigError(
                    f"There is no unfinished run of {self.out} to go on with.",
                    option="resume",
                    way_out=f"Leave out {option('resume', True)}.",
                )
            return
        if resume:
            _check_same(before["config"], config.to_dict())
        elif self.has_checkpoint and not overwrite:
            raise ConfigError(
                f"An unfinished run of {self.out} is there.",
                option="resume",
                way_out=f"Go on with {option('resume', True)}, or start anew with "
                f"{option('overwrite', True)}.",
            )

    def _recorded(self) -> Begun | None:
        """Options and data of an unfinished run; None where there is none that can be read."""
        try:
            recorded = json.loads(self.options.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        is_one = isinstance(recorded, dict) and "config" in recorded
        return cast(Begun, recorded) if is_one else None

    def begin(self, config: RunConfig, fingerprint: str, *, resume: bool) -> None:
        """Make the folder anew, or go on with the one that is there.

        ``fingerprint`` is that of the prepared data. Raises ``ConfigError`` where it has changed.
        """
        if resume and (before := self._recorded()) is not None:
            check_same_data(before.get("data_fingerprint"), fingerprint, config.source)
            return
        self.remove()
        self.path.mkdir(parents=True)
        state: Begun = {"config": config.to_dict(), "data_fingerprint": fingerprint}
        write_whole(self.options, to_json(state, indent=2).encode())

    @contextmanager
    def cleared_on_error(self) -> Iterator[None]:
        """What ends before the first checkpoint, by mistake or Ctrl-C, leaves nothing behind."""
        try:
            yield
        except (HeadtuneError, KeyboardInterrupt):
            if not self.has_checkpoint:
                self.remove()
            raise

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a whole one to go on from: its state file is written last."""
        return any(self.path.glob("checkpoint-*/trainer_state.json"))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _check_same(before: JsonObject, now: JsonObject) -> None:
    for stage, options in now.items():
        earlier = before.get(stage, {})
        if earlier == options:
            continue
        if not isinstance(options, dict):
            raise ConfigError(
                f"The unfinished run read {earlier!r}, not {options!r}.", option=stage
            )
        names = [*options, *(earlier.keys() - options.keys())]
        name = next(name for name in names if earlier.get(name) != options.get(name))
        raise ConfigError(
            f"The unfinished run had {name} = {earlier.get(name)!r}, not {options.get(name)!r}.",
            option=name,
            way_out=f"Resume with the same options, or start anew: {ANEW}.",
        )
