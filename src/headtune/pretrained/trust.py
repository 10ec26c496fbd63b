"""Whether Python code that lies beside a model may run: decided here, and nowhere else.

transformers runs the code that an ``auto_map`` in a folder's JSON names, if it is told to; where it
is told nothing it asks on standard input, which may hold a table whose first row is "y". So:

- A folder knows its trust. Only a model that the user named, with ``trust_remote_code``, has it.
  What a run folder names as its base model has not; and what headtune wrote (run folders, exports,
  converted GGUF files) never has.
- ``from_folder`` and ``from_config`` are the only calls into what reads a folder or builds a model.
  They always say yes or no, and standard input is at its end while they run. Meanwhile no other
  thread computes with a model (turns.py).
- Code that would be needed is refused in one line before transformers sees the folder. An
  ``auto_map`` is passed over only at the top of a configuration for which transformers has classes
  of its own; these are used.

Costs: the folder's small JSON files are read once more, about 1 ms.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from headtune.errors import ModelError, ModelFileError, option
from headtune.files.plain_json import JsonObject
from headtune.options import MachineConfig
from headtune.pretrained.names import in_short
from headtune.pretrained.turns import alone
from headtune.quiet import quiet_transformers

__all__ = [
    "PretrainedFolder",
    "Trust",
    "forget_code",
    "from_config",
    "from_folder",
    "needs_code_of_its_own",
    "require_no_code",
]

LARGEST_JSON = 16 * 2**20
CODE_MAP = "auto_map"
TOKENIZER_FILE = "tokenizer_config.json"


class Trust(Enum):
    """What the user said about the code of a model."""

    NEVER = "never"
    """It is no model that could be trusted: a run folder, an export, a converted file."""

    NOT_GIVEN = "not given"
    GIVEN = "given"

    @classmethod
    def of(cls, machine: MachineConfig) -> "Trust":
        """In a model that the user named, on a machine with these options."""
        return cls.GIVEN if machine.trust_remote_code else cls.NOT_GIVEN


@dataclass(frozen=True, slots=True)
class PretrainedFolder:
    """A local folder that ``from_pretrained`` can read.

    ``name`` is what the user asked for; ``revision`` the commit of a hub model, else None.
    ``is_adapter`` is true of an adapter that was written here, of which no model is ever loaded.
    """

    name: str
    path: Path
    revision: str | None = None
    trust: Trust = Trust.NEVER
    is_adapter: bool = False

    @property
    def may_run_code(self) -> bool:
        return self.trust is Trust.GIVEN


def from_folder(load: Callable[..., Any], folder: PretrainedFolder, **options: Any) -> Any:
    """What ``load`` (``AutoConfig.from_pretrained``, …) makes of a folder and ``options``.

    Raises ``ModelError`` as ``require_no_code`` does, and whatever ``load`` raises.
    """
    require_no_code(folder)
    with alone(), _nobody_to_ask(), quiet_transformers():
        return load(folder.path, trust_remote_code=folder.may_run_code, **options)


def from_config(build: Callable[..., Any], config: Any, folder: PretrainedFolder) -> Any:
    """What ``build`` (``AutoModel.from_config``, …) makes of a configuration out of ``folder``."""
    with alone(), _nobody_to_ask(), quiet_transformers():
        return build(config, trust_remote_code=folder.may_run_code)


def from_config_of_transformers(build: Callable[..., Any], config: Any) -> Any:
    """The same with transformers' own code alone, whatever the folder may do."""
    with alone(), _nobody_to_ask(), quiet_transformers():
        return build(config, trust_remote_code=False)


def require_no_code(folder: PretrainedFolder) -> None:
    """Raise ``ModelError`` if a folder that may not run code cannot be read without.

    Also where transformers would put an adapter over the weights: its configuration names modules
    to import, and no hash of the weights covers it.
    """
    values = {path.name: _json_of(path, folder.name) for path in _configurations(folder.path)}
    if {"adapter_config.json", "config.json"} <= values.keys() and not folder.is_adapter:
        raise ModelError(
            f"{folder.path} holds an adapter beside the model, which would change it unseen.",
            way_out="Merge the adapter into the model, or take adapter_config.json away.",
        )
    if folder.may_run_code:
        return
    for name, value in values.items():
        depths = list(_depths_of_code(value))
        if depths and (max(depths) > 0 or not _known(values, name)):
            raise _refusal(folder, name)


def forget_code(settings: JsonObject, folder: PretrainedFolder) -> None:
    """Take the code that was not run out of a configuration's settings, so that none is passed on.

    What is made of a folder is written as a run or an export, which name no code.
    """
    if not folder.may_run_code:
        settings.pop(CODE_MAP, None)


def needs_code_of_its_own(thing: Any) -> bool:
    """Whether a tokenizer or configuration is of a class that came with its folder."""
    return type(thing).__module__.startswith("transformers_modules")


def _refusal(folder: PretrainedFolder, file: str) -> ModelError:
    if folder.trust is Trust.NEVER:
        return ModelError(
            f"{folder.path} names Python code of its own ({CODE_MAP} in {file}), which headtune "
            "never runs: it only runs what transformers knows itself.",
            way_out="Do not use this folder unless you know who wrote it.",
        )
    return ModelError(
        f"Model {in_short(folder.name)} brings its own Python code ({CODE_MAP} in {file}), which "
        f"runs only where you name the model yourself, with {option('trust_remote_code', True)}.",
        option="trust_remote_code",
        way_out="Read the code first.",
    )


def _configurations(folder: Path) -> list[Path]:
    """The files that transformers looks for code in; ``config.4.0.0.json`` stands for another."""
    return sorted(path for path in folder.glob("*config*.json") if path.is_file())


def _json_of(path: Path, model: str) -> Any:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"larger than {LARGEST_JSON // 2**20} MB")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"Model {in_short(model)}: {path} cannot be read as JSON: {reason}."
        ) from error


def _depths_of_code(value: Any) -> Iterator[int]:
    """How deep in a JSON value each ``auto_map`` lies; 0 is the top."""
    waiting = [(0, value)]
    while waiting:
        depth, value = waiting.pop()
        if isinstance(value, dict):
            if value.get(CODE_MAP):
                yield depth
            waiting.extend((depth + 1, inner) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((depth + 1, inner) for inner in value)


def _known(values: JsonObject, name: str) -> bool:
    """Whether transformers has classes of its own for what the file configures."""
    import transformers

    if name == TOKENIZER_FILE and "tokenizer_class" in values[name]:
        class_name = str(values[name]["tokenizer_class"])
        return hasattr(transformers, class_name) or hasattr(transformers, f"{class_name}Fast")
    config = values.get("config.json")
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        return False
    classes = (
        transformers.TOKENIZER_MAPPING if name == TOKENIZER_FILE else transformers.MODEL_MAPPING
    )
    return transformers.CONFIG_MAPPING[kind] in classes


@contextmanager
def _nobody_to_ask() -> Iterator[None]:
    """Standard input at its end, so that a question ends in an error, not in a line of a table."""
    before, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = before
