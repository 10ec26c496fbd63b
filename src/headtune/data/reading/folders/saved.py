"""What ``save_to_disk`` of the ``datasets`` library wrote: a folder of one data set, or of several.

    data_set/dataset_info.json, state.json, data-00000-of-00001.arrow
    data_sets/dataset_dict.json, train/…, test/…

``datasets`` reads them itself (it takes 1.5 s to import, so it is imported here). They are Arrow
files and JSON: no code is run, and nothing is unpickled.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from headtune.errors import DataError

__all__ = ["is_saved", "load_saved"]

ONE, SEVERAL = {"state.json", "dataset_info.json"}, {"dataset_dict.json"}

WRONG = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, RecursionError,
    MemoryError, pa.ArrowException,
)  # fmt: skip
"""What ``datasets`` raises at a folder that was cut short or changed."""


def is_saved(names: Sequence[str]) -> bool:
    """Whether a folder with these files was written by ``save_to_disk``."""
    top = {name for name in names if "/" not in name}
    return top >= SEVERAL or top >= ONE


def load_saved(path: Path) -> dict[str, Any]:
    """The data sets of a folder by name; one alone is ``train``. Raises ``DataError``."""
    import datasets
    from datasets.exceptions import DatasetsError

    try:
        loaded = datasets.load_from_disk(str(path))
    except (DatasetsError, *WRONG) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path.name} looks like a data set that was saved to disk, and cannot be loaded: "
            f"{reason}.",
            way_out="Save it again, or give the table it was made from.",
        ) from error
    return dict(loaded) if isinstance(loaded, datasets.DatasetDict) else {"train": loaded}
