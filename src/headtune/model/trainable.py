"""What is trained: the head, the last blocks, low-rank adapters, or everything.

``make_trainable`` freezes the whole backbone, then opens what the options ask for and moves it to
float32, whatever the format of the frozen rest: AdamW's updates are a thousandth of a weight,
less than bfloat16 can tell apart. The trained tensors go by their names in the classifier
(``trained_state``), and that is all that checkpoints and artifacts hold.
"""

from dataclasses import dataclass

import torch
from torch import nn

from headtune.errors import ModelError
from headtune.model.adapters import inject_lora
from headtune.model.blocks import last_blocks
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.model.speed.fused import fuse
from headtune.options import TuneConfig
from headtune.options.written import parse_tune
from headtune.pretrained import alone

__all__ = [
    "ParameterCounts",
    "load_trained_state",
    "make_trainable",
    "trained_state",
    "useful_flops_per_token",
]


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """How many numbers a classifier has, and how many of them are trained."""

    total: int
    trainable: int

    @property
    def share(self) -> float:
        return self.trainable / self.total


def make_trainable(classifier: SequenceClassifier, tune: TuneConfig) -> ParameterCounts:
    """Freeze all but what ``tune`` names. The head is always trained.

    Raises ``ModelError`` where the architecture has too few blocks, or no layer of that name for
    adapters.
    """
    backbone = classifier.backbone
    backbone.requires_grad_(False)
    kind, n_blocks = parse_tune(tune.tune)
    if kind == "last":
        classifier.live = last_blocks(backbone, n_blocks, "tune")
        for module in classifier.live:
            module.requires_grad_(True)
    elif kind == "lora":
        n_adapted = tune.trained_blocks
        classifier.live = (
            (backbone,) if n_adapted is None else last_blocks(backbone, n_adapted, "lora_layers")
        )
        with alone():  # adapters are made in torch's default number format
            inject_lora(backbone, tune)
            fuse(backbone)
    elif kind == "full":
        backbone.requires_grad_(True)
        classifier.live = (backbone,)
    classifier.score.requires_grad_(True)
    for parameter in classifier.parameters():
        if parameter.requires_grad and parameter.is_floating_point():
            parameter.data = parameter.data.float()
    if kind == "last" and backbone.dtype != torch.float32:
        _float_buffers(classifier.live)
    return count_parameters(classifier)


def count_parameters(classifier: SequenceClassifier) -> ParameterCounts:
    """Parameters in all, and trained ones."""
    sizes = [(p.numel(), p.requires_grad) for p in classifier.parameters()]
    return ParameterCounts(
        total=sum(size for size, _ in sizes),
        trainable=sum(size for size, trained in sizes if trained),
    )


def useful_flops_per_token(
    classifier: SequenceClassifier, *, trunk_is_kept: bool = False
) -> tuple[float, float]:
    """Floating-point operations a token needs: one forward pass, and one training step.

    Two for each parameter outside the embeddings going forward (in training only those of ``live``
    modules, where the output of the frozen ones is kept); going back, two for each parameter at
    or above the lowest trained one (gradients of activations) and two for each trained one
    (gradients of weights). Recomputation and padding are not useful work.
    """
    embeddings = {
        id(parameter)
        for module in classifier.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters(recurse=False)
    }
    sizes = {
        id(p): (p.numel(), p.requires_grad)
        for p in classifier.parameters()
        if id(p) not in embeddings
    }
    forward = 2.0 * sum(size for size, _ in sizes.values())
    if trunk_is_kept:  # what runs for one token of a text, not for each, counts for nothing here
        skipped = {id(p) for module in classifier.pruned_modules for p in module.parameters()}
        sizes = {key: size for key, size in sizes.items() if key not in skipped}
    reached = {id(p): p.numel() for module in classifier.live for p in module.parameters()}
    above = 2.0 * sum(size for key, size in reached.items() if key in sizes)
    weights = 2.0 * sum(size for size, trained in sizes.values() if trained)
    return forward, (above if trunk_is_kept else forward) + above + weights


def _float_buffers(modules: tuple[nn.Module, ...]) -> None:
    for module in modules:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.data = buffer.data.float()


def trained_state(classifier: SequenceClassifier) -> dict[str, torch.Tensor]:
    """The trained tensors by name, on the CPU, detached; shapes as in the classifier."""
    return {
        name: parameter.detach().to("cpu", copy=True).contiguous()
        for name, parameter in classifier.named_parameters()
        if parameter.requires_grad
    }


def load_trained_state(classifier: SequenceClassifier, state: dict[str, torch.Tensor]) -> None:
    """Put trained tensors back. Raises ``ModelError`` unless names and shapes are the same."""
    own = {name: p for name, p in classifier.named_parameters() if p.requires_grad}
    if differing := sorted(own.keys() ^ state.keys()):
        raise ModelError(
            f"The trained weights do not belong to this model: {differing[0]} and "
            f"{len(differing) - 1} more names are on one side only."
        )
    with torch.no_grad():
        for name, parameter in own.items():
            if parameter.shape != state[name].shape:
                raise ModelError(
                    f"The trained weights do not belong to this model: {name} has shape "
                    f"{tuple(state[name].shape)}, expected {tuple(parameter.shape)}."
                )
            parameter.copy_(state[name])
