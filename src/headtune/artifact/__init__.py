"""Stage 6, fitted model to folder and back: manifest, weights, probes, model card.

Names are loaded when they are first used, so that a manifest can be read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headtune.artifact.info import RunInfo, describe_run
    from headtune.artifact.load import LoadedArtifact, load_artifact
    from headtune.artifact.manifest import BaseModel, Manifest
    from headtune.artifact.probes import ProbeResult, choose_probes
    from headtune.artifact.save import ArtifactContents, check_target, save_artifact

__all__ = [
    "ArtifactContents",
    "BaseModel",
    "LoadedArtifact",
    "Manifest",
    "ProbeResult",
    "RunInfo",
    "check_target",
    "choose_probes",
    "describe_run",
    "load_artifact",
    "save_artifact",
]

_HOMES = {
    "ArtifactContents": "save",
    "BaseModel": "manifest",
    "LoadedArtifact": "load",
    "Manifest": "manifest",
    "ProbeResult": "probes",
    "RunInfo": "info",
    "check_target": "save",
    "choose_probes": "probes",
    "describe_run": "info",
    "load_artifact": "load",
    "save_artifact": "save",
}
"""Public name -> the file it is defined in."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
