"""Every error headtune raises on purpose, in one tree.

    HeadtuneError
    ├── ConfigError (ValueError)              an option or a recipe cannot be used
    ├── DataError (ValueError)                stage 1, tables -> examples
    │   ├── DataNotFoundError (FileNotFoundError)
    │   ├── EncodingError                     bytes that are not text in the given encoding
    │   ├── ColumnError                       a text or label column is missing or unclear
    │   ├── LabelError                        labels nobody can learn from
    │   └── SplitError                        parts that cannot be made as asked
    ├── TokenizationError (ValueError)        stage 2, examples -> token ids
    ├── ModelError (ValueError)               stages 3 and 4, batches and backbone
    │   ├── ModelNotFoundError (FileNotFoundError)
    │   └── ModelFileError                    weights that are cut short or unreadable
    ├── TrainingError (RuntimeError)          stage 5
    │   └── NonFiniteLossError (ArithmeticError)
    ├── ArtifactError (ValueError)            stage 6, the run folder
    │   ├── ArtifactNotFoundError (FileNotFoundError)
    │   ├── ArtifactFormatError               written by a newer headtune, or no manifest at all
    │   ├── TamperedArtifactError             a file whose sha256 is not the manifest's
    │   ├── ProbeError                        the reloaded model answers differently
    │   └── PushError (ConnectionError)       the hub cannot be reached, or refuses
    ├── PredictionError (ValueError)          stage 7
    ├── ExportError (ValueError)              a format that cannot hold this classifier
    └── MissingDependencyError (ImportError)  an extra is not installed

Beside it ``CanResume (KeyboardInterrupt)``: stopped by the user, with something left to go on from.

Each message is one line: what was expected, what was received, the way out. The branch of a
stage also inherits the built-in exception that a caller of plain Python would expect, so
``except FileNotFoundError`` works on a missing table.

An error carries what it is about (``option``, ``row``, ``column``) and what helps (``way_out``).
Options in a message are written with ``option("label")``, so that each reader is told his own
name: ``str(error)`` says ``label=``, the command line ``--label``, and a server JSON.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "ArtifactError",
    "ArtifactFormatError",
    "ArtifactNotFoundError",
    "CanResume",
    "ColumnError",
    "ConfigError",
    "DataError",
    "DataNotFoundError",
    "EncodingError",
    "ExportError",
    "HeadtuneError",
    "LabelError",
    "MissingDependencyError",
    "ModelError",
    "ModelFileError",
    "ModelNotFoundError",
    "NonFiniteLossError",
    "PredictionError",
    "ProbeError",
    "PushError",
    "SplitError",
    "TamperedArtifactError",
    "TokenizationError",
    "TrainingError",
    "option",
    "worded",
]


_OPEN, _CLOSE = "\ue000", "\ue001"  # of Unicode's private use: no sentence has them
_OPTION = re.compile(rf"{_OPEN}([a-z_]+)(?:=([^{_CLOSE}]*))?{_CLOSE}")


def option(name: str, value: object = None) -> str:
    """An option within a message, with a value where one is proposed; False is "switched off"."""
    given = "" if value is None else f"={value}"
    return f"{_OPEN}{name}{given}{_CLOSE}"


def worded(message: str, name_option: Callable[[str, str | None], str]) -> str:
    """The message with each ``option`` in it as ``name_option(name, value)`` writes it."""
    return _OPTION.sub(lambda found: name_option(found[1], found[2]), message)


def _in_python(name: str, value: str | None) -> str:
    """``label=``, ``label="kind"``, ``epochs=3``, ``resume=True``."""
    if value is None:
        return f"{name}="
    plain = value in ("True", "False") or re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", value)
    return f"{name}={value}" if plain else f'{name}="{value}"'


class HeadtuneError(Exception):
    """Root of the tree: the user can mend what it says, so it is shown without a traceback.

    Args:
        message: What was expected and what was received.
        option: The option that is to be changed, by its name in Python.
        row: 1-based record number in the source.
        column: Name of the column.
        way_out: What to do now; the last sentence of the message.
    """

    def __init__(
        self,
        message: str = "",
        *,
        option: str | None = None,
        row: int | None = None,
        column: str | None = None,
        way_out: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.option, self.row, self.column, self.way_out = option, row, column, way_out

    @property
    def text(self) -> str:
        """Message and way out, options not worded yet: for a message around this one."""
        return f"{self.message} {self.way_out}".strip()

    def worded(self, name_option: Callable[[str, str | None], str]) -> str:
        """Message and way out in the words of those who read it."""
        return worded(self.text, name_option)

    def rename(self, names: Mapping[str, str]) -> None:
        """Speak of options as this caller knows them: ``{"split": "validation_fraction"}``.

        For the layer that set an option for the caller, while the error passes through it. A value
        that was proposed or received is that of the option, and left out with its name.
        """

        def renamed(name: str, value: str | None) -> str:
            return option(names[name]) if name in names else option(name, value)

        self.message, self.way_out = (worded(t, renamed) for t in (self.message, self.way_out))
        self.args = (self.message,)
        self.option = names.get(self.option or "", self.option)

    def __str__(self) -> str:
        return self.worded(_in_python)

    def to_dict(self) -> dict[str, Any]:
        """What a server answers; options by their names."""
        about = {"option": self.option, "row": self.row, "column": self.column}
        return {
            "type": type(self).__name__,
            "message": worded(self.message, _in_python),
            "way_out": worded(self.way_out, _in_python) or None,
            **about,
        }


class ConfigError(HeadtuneError, ValueError):
    """An option, or a combination of options, that cannot be used."""


class DataError(HeadtuneError, ValueError):
    """A table that cannot be turned into examples."""


class DataNotFoundError(DataError, FileNotFoundError):
    """The table is not where the user said it is."""


class EncodingError(DataError):
    """The bytes of a table are not text in the given encoding."""


class ColumnError(DataError):
    """A text or label column is missing, or cannot be told from the others."""


class LabelError(DataError):
    """Labels that no classifier can learn from: one class, a class of one row, a number column."""


class SplitError(DataError):
    """Training, validation and test parts cannot be made as asked."""


class TokenizationError(HeadtuneError, ValueError):
    """A text that cannot be turned into token ids, or a tokenizer that cannot be used."""


class ModelError(HeadtuneError, ValueError):
    """A backbone that cannot be used for what was asked."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """No such model: not an alias, a folder, a GGUF file or a hub id in reach."""


class ModelFileError(ModelError):
    """A weight file that is cut short, unreadable or of a format that is never read."""


class TrainingError(HeadtuneError, RuntimeError):
    """Training stopped before it had a result."""


class NonFiniteLossError(TrainingError, ArithmeticError):
    """The loss became infinite or not-a-number; the message has the step and the data rows."""


class ArtifactError(HeadtuneError, ValueError):
    """A run folder that cannot be written or read."""


class ArtifactNotFoundError(ArtifactError, FileNotFoundError):
    """No run folder at that path."""


class ArtifactFormatError(ArtifactError):
    """Not a run folder, or one of a newer format version."""


class TamperedArtifactError(ArtifactError):
    """A file of a run folder is missing, or is not the file that was written."""


class ProbeError(ArtifactError):
    """The reloaded classifier does not give the logits that were recorded when it was saved."""


class PushError(ArtifactError, ConnectionError):
    """A run that cannot be sent to the hub: no token, no hub in reach, or it refuses."""


class PredictionError(HeadtuneError, ValueError):
    """Texts that cannot be classified as asked."""


class ExportError(HeadtuneError, ValueError):
    """A classifier that another tool's format cannot express; the message has the reason."""


class MissingDependencyError(HeadtuneError, ImportError):
    """An optional dependency is not installed; the message has the command that installs it."""


class CanResume(KeyboardInterrupt):
    """Stopped by Ctrl-C, with something left to go on from: ``what`` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"Stopped. To go on from {self.what}, call it again with resume=True."
