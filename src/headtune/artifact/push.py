"""A run folder to a repository of the hub: proved first, then sent as it is.

    load the run (all hashes, all probes) -> create the repository -> one upload of its files

Sent are the manifest and the files it lists, nothing else that lies in the folder. Guarantees: what
does not verify is not sent; a repository that is there already is left alone unless that was asked
for, and one that anybody can read is never taken for a private one. Costs: one load, one upload.
"""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

from headtune.artifact.layout import MANIFEST
from headtune.artifact.load import LoadedArtifact, load_artifact
from headtune.errors import PushError, option
from headtune.options import MachineConfig

__all__ = ["push_run"]

HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
"""Error of the client's HTTP library: httpx in some versions, httpx2 in others."""


def push_run(
    run: str | Path,
    repository: str,
    *,
    private: bool = False,
    overwrite: bool = False,
    model: str | None = None,
    machine: MachineConfig | None = None,
) -> str:
    """Send a run to the hub; returns the address of the repository.

    Args:
        run: A run folder.
        repository: ``user/name``.
        private: Create it for the user's eyes only.
        overwrite: Add a commit to a repository that is there already.
        model: Where the base model is, if not where the manifest says.
        machine: How it is loaded here to be proved.

    Raises:
        PushError: No such name, no token, no hub in reach, or the hub refuses.
        ArtifactError, ModelError: The run cannot be loaded, or is not the one that was saved.
    """
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise PushError(
            f"A repository is named user/name; received {repository!r}.", option="repository"
        )
    if get_token() is None:
        raise PushError("The hub wants a token:", way_out="run 'hf auth login', or set HF_TOKEN.")
    loaded = load_artifact(run, model=model, options=machine)
    with _said_plainly(repository):
        return _send(loaded, repository, private=private, overwrite=overwrite)


def _send(loaded: LoadedArtifact, repository: str, *, private: bool, overwrite: bool) -> str:
    api = HfApi()
    url = api.create_repo(repository, private=private, exist_ok=overwrite)
    if private and overwrite and not api.model_info(repository).private:
        raise PushError(
            f"{repository} is there already and anybody can read it.",
            option="repository",
            way_out="Make it private on the hub, or choose another name.",
        )
    api.upload_folder(
        repo_id=repository,
        folder_path=loaded.path,
        allow_patterns=[glob.escape(name) for name in (MANIFEST, *loaded.manifest.files)],
        commit_message="Run made by headtune",
    )
    return str(url)


@contextmanager
def _said_plainly(repository: str) -> Iterator[None]:
    """What the hub's client raises, as one ``PushError``."""
    try:
        yield
    except PushError:
        raise
    except HFValidationError as error:
        raise PushError(
            f"{repository!r} is no name for a repository: {_line(error)}", option="repository"
        ) from error
    except OfflineModeIsEnabled as error:
        raise PushError("The hub is switched off by HF_HUB_OFFLINE.") from error
    except HfHubHTTPError as error:
        raise _refusal(repository, error) from error
    except (HTTP_ERROR, OSError, RuntimeError, ValueError) as error:
        raise PushError(
            f"The push to {repository!r} broke off ({_line(error)}).",
            way_out="Is the hub in reach? Once it is, give the same command again, with "
            f"{option('overwrite', True)} if the repository is there now.",
        ) from error


def _refusal(repository: str, error: HfHubHTTPError) -> PushError:
    status = error.response.status_code
    if status == 409:
        return PushError(
            f"{repository} is there already.",
            option="overwrite",
            way_out=f"Choose another name, or add a commit to it with {option('overwrite', True)}.",
        )
    if status in (401, 403):
        return PushError(
            f"The token may not write to {repository}.",
            way_out="Log in as its owner: hf auth login",
        )
    return PushError(f"The hub refused the push to {repository}: {_line(error)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
