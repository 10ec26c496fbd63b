"""From a folder to a classifier: backbone and head put together, one way for all who need one.

Training, a loaded run and a benchmark start here; what is trained is decided after
(``trainable.py``). Meanwhile no other thread computes with a model: transformers changes for all
what it builds one with, and what is built and tried here must not meet what another thread changes.
"""

from headtune.model.backbone import load_backbone
from headtune.model.hardware.compute import Compute
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import PretrainedFolder, alone

__all__ = ["assemble"]


def assemble(
    folder: PretrainedFolder,
    n_labels: int,
    model: ModelConfig,
    machine: MachineConfig,
    compute: Compute,
    *,
    seed: int = 42,
    packs: bool | None = None,
) -> SequenceClassifier:
    """The model of ``folder`` below a new head for ``n_labels``, on its device.

    ``seed`` is that of the head, and of random weights where these are asked for; ``packs`` is what
    a run has found out before about packed batches, None tries it. Raises ``ModelError``.
    """
    with alone():
        return SequenceClassifier(
            load_backbone(folder, model, machine, compute, seed, packs),
            n_labels,
            pooling=model.pooling,
            attention=model.attention,
            compute_dtype=compute.dtype,
            seed=seed,
        )
