"""What is trained: the head, the last blocks, low-rank adapters, or everything.

``make_trainable`` freezes the whole backbone, then opens what the options ask for and moves it to
float32, whatever the format of the frozen rest: AdamW's updates are a thousandth of a weight,
less than bfloat16 can tell apart. The trained tensors go by their names in the classifier
(``trained_state``), and that is all that checkpoints and artifacts hold.

LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021) comes from PEFT,
injected into the backbone in place.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from headtune.config import TuneConfig
from headtune.errors import ModelError
from headtune.model.fused import fuse
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.written_values import parse_tune

__all__ = [
    "ParameterCounts",
    "decoder_blocks",
    "load_trained_state",
    "lora_config",
    "lora_targets",
    "make_trainable",
    "trained_state",
    "useful_flops_per_token",
]

ATTENTION_PROJECTIONS = ("q_proj", "v_proj", "query_key_value", "qkv_proj", "c_attn", "Wqkv")
"""Names of query, value or joint projections, for architectures that PEFT has no entry for."""


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
        classifier.live = _last_blocks(backbone, n_blocks, "--tune")
        for module in classifier.live:
            module.requires_grad_(True)
    elif kind == "lora":
        n_adapted = tune.trained_blocks
        classifier.live = (
            (backbone,) if n_adapted is None else _last_blocks(backbone, n_adapted, "--lora-layers")
        )
        _inject_lora(backbone, tune)
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


def decoder_blocks(backbone: PreTrainedModel) -> tuple[nn.Module, nn.ModuleList]:
    """The module that holds the list of blocks, and that list.

    Found as the one ``ModuleList`` as long as the configuration says the model is deep. Raises
    ``ModelError`` when there is none.
    """
    depth = backbone.config.get_text_config().num_hidden_layers
    for owner in backbone.modules():
        for child in owner.children():
            if isinstance(child, nn.ModuleList) and len(child) == depth:
                return owner, child
    raise ModelError(
        f"The blocks of {backbone.config.model_type!r} cannot be told apart; "
        "use --tune head, lora or full."
    )


def _last_blocks(backbone: PreTrainedModel, n_blocks: int, option: str) -> tuple[nn.Module, ...]:
    """The last blocks, and the norms that come after the list of blocks."""
    owner, blocks = decoder_blocks(backbone)
    if n_blocks > len(blocks):
        raise ModelError(
            f"{option} last-{n_blocks} asks for more blocks than this model has: {len(blocks)}."
        )
    after = list(owner.children())
    after = after[next(i for i, child in enumerate(after) if child is blocks) + 1 :]
    norms = [child for child in after if "norm" in type(child).__name__.lower()]
    return (*blocks[len(blocks) - n_blocks :], *norms)


def _float_buffers(modules: tuple[nn.Module, ...]) -> None:
    for module in modules:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.data = buffer.data.float()


def lora_config(backbone: PreTrainedModel, tune: TuneConfig) -> Any:
    """PEFT's ``LoraConfig``; its targets are resolved to names of this architecture.

    Raises ``ModelError`` where no names were given and none are known.
    """
    from peft import LoraConfig, TaskType

    layers: dict[str, Any] = {}
    if tune.trained_blocks is not None:
        owner, blocks = decoder_blocks(backbone)
        adapted = range(len(blocks) - tune.trained_blocks, len(blocks))
        name = next(name for name, child in owner.named_children() if child is blocks)
        layers = {"layers_to_transform": list(adapted), "layers_pattern": name}
    return LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=tune.lora_rank,
        lora_alpha=tune.lora_alpha,
        lora_dropout=tune.lora_dropout,
        bias=tune.lora_bias,
        target_modules=list(lora_targets(backbone, tune)),
        modules_to_save=["score"],
        fan_in_fan_out=_transposed(backbone),
        **layers,
    )


def lora_targets(backbone: PreTrainedModel, tune: TuneConfig) -> tuple[str, ...]:
    """Names of the layers that get adapters: those given, or the architecture's.

    Raises ``ModelError`` where no names were given and none are known.
    """
    if tune.lora_targets:
        return tune.lora_targets
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    names = {name.rpartition(".")[2] for name, _ in backbone.named_modules()}
    known = [name for name in KNOWN.get(backbone.config.model_type, ()) if name in names]
    targets = known or [name for name in ATTENTION_PROJECTIONS if name in names]
    if not targets:
        raise ModelError(
            f"No attention projections are known for {backbone.config.model_type!r}; "
            "name the layers that get adapters: --lora-targets NAME"
        )
    return tuple(targets)


def _transposed(backbone: PreTrainedModel) -> bool:
    """Whether linear layers keep their weight transposed, as GPT-2's Conv1D does."""
    return any(type(module).__name__ == "Conv1D" for module in backbone.modules())


def _inject_lora(backbone: PreTrainedModel, tune: TuneConfig) -> None:
    from peft import inject_adapter_in_model

    names = [f".{name}" for name, _ in backbone.named_modules()]
    for target in tune.lora_targets:  # PEFT is content when one of them is there
        if not any(name.endswith(f".{target}") for name in names):
            raise _no_such_layers(backbone, target)
    config = lora_config(backbone, tune)
    config.modules_to_save = None  # the head is not part of the backbone
    try:
        inject_adapter_in_model(config, backbone)
    except ValueError as error:
        raise _no_such_layers(backbone, *sorted(config.target_modules)) from error


def _no_such_layers(backbone: PreTrainedModel, *targets: str) -> ModelError:
    kinds = {name.rpartition(".")[2]: type(m) for name, m in backbone.named_modules()}
    linear = sorted(n for n, kind in kinds.items() if kind.__name__ in ("Linear", "Conv1D"))
    return ModelError(
        f"--lora-targets {' '.join(targets)}: no such linear layers in this model. "
        f"It has: {', '.join(linear)}."
    )


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
