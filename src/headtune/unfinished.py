"""An unfinished run: the hidden folder beside its target where checkpoints lie, and its options.

It is what a killed run goes on from, if the options are those that made the checkpoints.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headtune.config import RunConfig
from headtune.errors import ConfigError, HeadtuneError
from headtune.plain_json import to_json

__all__ = ["UnfinishedRun"]


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """Where an unfinished run keeps its checkpoints, and the options that made them."""

    path: Path
    out: Path

    @classmethod
    def of(cls, out: Path) -> "UnfinishedRun":
        return cls(out.parent / f".{out.name}.training", out)

    @property
    def options(self) -> Path:
        return self.path / "options.json"

    def check(self, config: RunConfig, *, overwrite: bool, resume: bool) -> None:
        """Raises ``ConfigError`` where the user must choose."""
        if not self.options.is_file():
            if resume:
                raise ConfigError(
                    f"There is no unfinished run of {self.out} to go on with. Leave out --resume."
                )
            return
        if resume:
            self._check_same(config)
        elif not overwrite:
            raise ConfigError(
                f"An unfinished run of {self.out} is there. Go on with --resume, or start anew "
                "with --overwrite."
            )

    def _check_same(self, config: RunConfig) -> None:
        before, now = json.loads(self.options.read_text()), config.to_dict()
        for stage, options in now.items():
            earlier = before.get(stage, {})
            if earlier == options:
                continue
            if not isinstance(options, dict):
                raise ConfigError(f"The unfinished run read {earlier!r}, not {options!r}.")
            name = next(key for key in options if earlier.get(key) != options[key])
            raise ConfigError(
                f"The unfinished run had {name} = {earlier.get(name)!r}, not "
                f"{options[name]!r}. Resume with the same options, or start anew with --overwrite."
            )

    def begin(self, config: RunConfig) -> None:
        """Make the folder; an earlier one of other options is cleared."""
        if self.options.is_file() and json.loads(self.options.read_text()) == config.to_dict():
            return
        self.remove()
        self.path.mkdir(parents=True)
        self.options.write_text(to_json(config.to_dict(), indent=2))

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
        return any(self.path.glob("checkpoint-*"))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
