"""Stage 6, fitted model to folder and back: manifest, weights, probes, model card."""

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
    "check_target",
    "choose_probes",
    "load_artifact",
    "save_artifact",
]
