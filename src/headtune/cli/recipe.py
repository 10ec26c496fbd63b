"""Recipes: the options of a run in a YAML file, and how they meet those of the command line.

A recipe has the keys of ``RunConfig``: ``source``, and a mapping of options for each stage
(``data``, ``tokens``, ``model``, ``tune``, ``train``, ``report``), all of them optional. What is
given on the command line wins over the environment, which wins over the recipe, which wins over the
defaults. Paths in a recipe are relative to the current directory, as on the command line.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtune.cli.options import STAGE_OF
from headtune.errors import ConfigError
from headtune.files.plain_json import JsonObject
from headtune.options import STAGES, RunConfig

__all__ = ["load_recipe", "merge"]


def load_recipe(path: Path) -> JsonObject:
    """What the file says, checked by ``RunConfig``, so that a mistake in it names the file."""
    values = _read_yaml(path)
    for stage in STAGES:
        if (
            stage in values and values[stage] is None
        ):  # a key with everything under it commented out
            values[stage] = {}
    try:
        RunConfig.from_dict({"source": "checked later", **values})
    except ConfigError as error:
        said = f"{path}: {error.message}"
        raise ConfigError(said, option=error.option, way_out=error.way_out) from None
    return values


def merge(recipe: Mapping[str, Any], source: str | None, options: Mapping[str, Any]) -> RunConfig:
    """The run that the recipe describes, with what the command line gives put over it."""
    values = {key: dict(value) if key in STAGES else value for key, value in recipe.items()}
    if source is not None:
        values["source"] = source
    for name, value in options.items():
        values.setdefault(STAGE_OF[name], {})[name] = value
    return RunConfig.from_dict(values)


def _read_yaml(path: Path) -> JsonObject:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no recipe at {path}.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path} is not valid YAML: line {line}, {error.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path} is not a YAML file in UTF-8.") from None
    if not isinstance(values, dict):
        expected = f"the keys source, {', '.join(STAGES)}"
        raise ConfigError(f"{path} must hold {expected}; received {values!r}.")
    return values
