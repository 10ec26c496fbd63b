"""A GGUF file to a folder of float32 safetensors, made once and kept in the cache.

    sha256 of the file -> cache/models/NAME-SHA256, if it is there; else transformers reads the file

It is read from a folder that holds nothing else, so that what lies beside it (a tokenizer's
configuration, Python code) has no say in what it becomes, as it has none in the sha256.

Guarantees: a converted folder is written aside and renamed, so a killed conversion leaves nothing
behind that a later run would trust. Costs: 15 s for 135 million parameters, once.
"""

import atexit
import importlib
import importlib.util
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headtune.errors import ModelFileError
from headtune.files.cache_folder import cache_folder, remove_abandoned
from headtune.pretrained.fingerprint import remembered
from headtune.pretrained.trust import PretrainedFolder, from_folder
from headtune.quiet import quiet_transformers

__all__ = ["converted_already", "converted_gguf", "gguf_of_package", "is_gguf"]

CONVERTING = ".converting-"

_of_this_process: dict[Path, Path] = {}
"""Where it should lie -> where it lies, for what the cache could not take."""


def is_gguf(path: Path) -> bool:
    """Whether an ordinary file begins as GGUF files do. Raises ``ModelFileError``.

    An empty one is not opened: /proc has some that block.
    """
    try:
        if path.stat().st_size < 4:
            return False
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be opened: {error.strerror or error}.", option="model"
        ) from error


def gguf_of_package(package: str) -> Path | None:
    """The GGUF file inside an installed wheel; the package itself is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    whole = sorted(folder.rglob("*.gguf"))
    if whole:
        return whole[0]
    module = importlib.import_module(package)  # comes in parts: assemble() joins them
    assemble: Callable[[], Any] | None = getattr(module, "assemble", None)
    return Path(assemble()) if assemble is not None else None


def converted_already(gguf: Path) -> Path:
    """The folder made of a GGUF file, else the file."""
    folder = _folder_of_gguf(gguf) if _converted_models().is_dir() else gguf
    return folder if folder.is_dir() else gguf


def converted_gguf(gguf: Path) -> Path:
    """The safetensors folder of a GGUF file, made on first use.

    In a cache that cannot be written it is made for this process alone, with a warning.
    """
    folder = _folder_of_gguf(gguf)
    if folder in _of_this_process:
        return _of_this_process[folder]
    try:
        return folder if folder.is_dir() else _made(gguf, folder)
    except OSError as error:
        if folder.is_dir():  # another process was quicker
            return folder
        return _made_for_this_process(gguf, folder, error)


def _made(gguf: Path, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(folder.parent.glob(f"{CONVERTING}*"))
    work = Path(tempfile.mkdtemp(prefix=CONVERTING, dir=folder.parent))
    try:
        _convert_gguf(gguf, work)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _made_for_this_process(gguf: Path, folder: Path, error: OSError) -> Path:
    warnings.warn(
        f"{gguf.name} is unpacked anew in each process: the cache cannot be written ({error}).",
        UserWarning,
        stacklevel=2,
    )
    work = Path(tempfile.mkdtemp(prefix="headtune-gguf-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    _convert_gguf(gguf, work)
    _of_this_process[folder] = work
    return work


def _converted_models() -> Path:
    return cache_folder() / "models"


def _folder_of_gguf(gguf: Path) -> Path:
    return _converted_models() / f"{gguf.stem}-{remembered(gguf)[:16]}"


def _convert_gguf(gguf: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="headtune-gguf-") as alone:
        link = Path(alone) / "model.gguf"
        link.symlink_to(gguf.resolve())
        try:
            tokenizer, model = _read_gguf(PretrainedFolder(gguf.stem, link.parent), link.name)
        except Exception as error:  # the readers of GGUF raise struct.error, Exception itself, …
            reason = " ".join(str(error).split())[:200]
            raise ModelFileError(
                f"{gguf} cannot be read as a GGUF model; it may be cut short ({reason}).",
                option="model",
                way_out="Download it again.",
            ) from error
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.config._name_or_path = gguf.stem
    tokenizer.name_or_path = gguf.stem
    with quiet_transformers():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _read_gguf(alone: PretrainedFolder, name: str) -> tuple[Any, Any]:
    """Tokenizer and float32 model of the GGUF file in a folder of its own."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = from_folder(AutoTokenizer.from_pretrained, alone, gguf_file=name)
    model = from_folder(
        AutoModelForCausalLM.from_pretrained,
        alone,
        gguf_file=name,
        dtype=torch.float32,
        quantization_config=GgufConfig(gguf_file=name, dequantize=True),
    )
    return tokenizer, model
