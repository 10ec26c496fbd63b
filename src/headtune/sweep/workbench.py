"""One model and its kept texts, set up again for trial after trial.

The model is loaded once. For each depth that a sweep tries, what enters the trained part is kept:
the deepest trunk runs (or is found in the cache), and each higher one goes on from what the one
below gave, so that three depths cost hardly more than one. Before a trial every tensor that an
earlier one may have changed gets its first value and number format back.

Guarantees: a trial gives what ``headtune train`` gives with the same settings and kept states.
"""

from collections.abc import Iterator

import torch

from headtune.batches import KeptExample
from headtune.errors import ModelError, option
from headtune.model import (
    FrozenTrunk,
    KeptTexts,
    ParameterCounts,
    SequenceClassifier,
    attach_trunk,
    make_trainable,
)
from headtune.options import TuneConfig
from headtune.progress import Progress
from headtune.run.fitted import Encoded
from headtune.run.kept import keep_texts
from headtune.run.loading import Loaded

__all__ = ["Workbench"]


class Workbench:
    """Sets ``loaded``, whose model was made trainable for ``head``, up for one of ``tunes``.

    ``tunes`` come deepest first. Raises ``ModelError`` where nothing can be shared: an architecture
    on the padded path, a depth of all blocks, or too little memory and disk.
    """

    def __init__(self, loaded: Loaded, tunes: list[TuneConfig], progress: Progress) -> None:
        self.loaded = loaded
        self.classifier = loaded.classifier
        make_trainable(self.classifier, TuneConfig(tune="head"))
        self._first = {name: tensor.data for name, tensor in _tensors(self.classifier)}
        self._trunks: dict[str, FrozenTrunk] = {}
        self._kept: dict[str, list[KeptExample]] = {}
        self.counts: KeptTexts | None = None
        for tune in tunes:
            self._keep(tune, progress)

    def set_up(self, tune: TuneConfig) -> tuple[Encoded, ParameterCounts]:
        """The model as it was loaded, with the parameters of ``tune`` trainable, and its texts."""
        self.classifier.zero_grad(set_to_none=True)
        for name, tensor in _tensors(self.classifier):
            tensor.data = self._first[name]
        parameters = make_trainable(self.classifier, tune)
        for parameter in self.classifier.parameters():
            if parameter.requires_grad:  # training must not write into the first values
                parameter.data = parameter.data.clone()
        trunk = self._trunks[tune.tune]
        self.classifier.trunk = trunk if trunk.lowest is not None else None
        return self.loaded.encoded.with_kept(self._kept[tune.tune]), parameters

    def _keep(self, tune: TuneConfig, progress: Progress) -> None:
        """From what the trunk below, which is attached, has kept; else from the tokens."""
        below = next(reversed(self._kept.values()), None)
        attached = self.classifier.trunk
        trunk = attach_trunk(self.classifier, tune)
        if trunk is None:
            raise ModelError(
                f"A sweep over {option('tune', tune.tune)} has no frozen layers to share in this "
                "model.",
                option="tune",
                way_out="Leave it out, or use headtune train.",
            )
        self.classifier.trunk = attached
        kept = keep_texts(trunk, self.loaded, below or self.loaded.encoded.examples, progress)
        if kept is None:
            raise ModelError(
                "What the frozen layers give fits neither into memory nor on the disk, so trials "
                "cannot share it.",
                option="cache_limit",
                way_out=f"Use fewer texts, a lower {option('max_length')} or a higher "
                f"{option('cache_limit')}.",
            )
        self.classifier.trunk = trunk if trunk.lowest is not None else attached
        self._trunks[tune.tune], self._kept[tune.tune] = trunk, kept.examples
        self.counts = self.counts or kept


def _tensors(classifier: SequenceClassifier) -> Iterator[tuple[str, torch.Tensor]]:
    yield from classifier.named_parameters()
    yield from classifier.named_buffers()
