"""Data sets of the hub, and those of the ``datasets`` library in memory.

A hub id is ``owner/name``, ``owner/name:configuration`` or ``owner/name@split``. Splits called
train, validation and test become the parts of the same name. ``datasets`` takes 1.5 s to import,
so it is imported where it is needed.

Guarantees: an id that no hub in reach knows ends in one line, within seconds: the hub is asked
once, with a time limit, before ``datasets`` begins its own retries (23 s).
"""

import os
from typing import Any

import pyarrow as pa

from headtune.errors import DataError, DataNotFoundError

__all__ = ["arrow_of_dataset", "hub_splits"]

TIMEOUT_SECONDS = 10.0


def hub_splits(source: str) -> dict[str, Any]:
    """The splits of a hub data set by name. Raises ``DataNotFoundError`` or ``DataError``."""
    path, _, split = source.partition("@")
    hub_id, _, configuration = path.partition(":")
    import datasets
    from datasets.exceptions import DatasetsError

    if not datasets.config.HF_HUB_OFFLINE:
        _ask_hub(hub_id)
    try:
        loaded = datasets.load_dataset(hub_id, configuration or None, split=split or None)
    except ConnectionError as error:
        raise _no_hub(hub_id) from error
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        if "gated dataset" in str(error):  # what is known of it is public, its files are not
            raise _gated(hub_id) from error
        reason = " ".join(str(error).split())[:300]
        raise DataError(
            f"Data set {hub_id!r} cannot be loaded: {reason}",
            way_out="Name a configuration (owner/name:configuration) or a split "
            "(owner/name@split), or download its file and give that.",
        ) from error
    return dict(loaded) if isinstance(loaded, datasets.DatasetDict) else {split: loaded}


def _ask_hub(hub_id: str) -> None:
    """Raises ``DataNotFoundError`` when the hub is out of reach, or has no such data set."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    # Connection errors of the client's HTTP library: httpx in some versions, httpx2 in others.
    http_error: type[Exception] = HfHubHTTPError.__bases__[0]
    try:
        HfApi().dataset_info(hub_id, timeout=TIMEOUT_SECONDS)
    except GatedRepoError as error:
        raise _gated(hub_id) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataNotFoundError(
            f"There is no file {hub_id!r}, and the hub has no data set of that name.",
            way_out="Check the spelling, or log in if it is private.",
        ) from error
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataNotFoundError(
            f"The hub did not answer for data set {hub_id!r}: {reason}.",
            way_out="Try again later.",
        ) from error
    except (http_error, OfflineModeIsEnabled, OSError) as error:
        raise _no_hub(hub_id) from error


def _gated(hub_id: str) -> DataNotFoundError:
    return DataNotFoundError(
        f"Data set {hub_id!r} wants its terms accepted on the hub, and a token (HF_TOKEN)."
    )


def _no_hub(hub_id: str) -> DataNotFoundError:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    return DataNotFoundError(
        f"There is no file {hub_id!r}, and the hub ({endpoint}) cannot be reached to look for a "
        "data set of that name.",
        way_out="Check the path or the network; HF_HUB_OFFLINE=1 uses a copy that was downloaded "
        "before.",
    )


def arrow_of_dataset(dataset: Any, start: int = 0, stop: int | None = None) -> pa.Table:
    """Rows of a ``datasets.Dataset`` as an Arrow table, its features in the schema."""
    stop = len(dataset) if stop is None else min(stop, len(dataset))
    table: pa.Table = dataset.with_format("arrow")[start:stop]
    return table.cast(dataset.features.arrow_schema)
