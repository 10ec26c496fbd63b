"""Low-rank adapters: which layers get them, and PEFT's settings for them.

LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021) comes from PEFT,
injected into the backbone in place.
"""

import re
from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedModel

from headtune.errors import ModelError, option
from headtune.model.blocks import decoder_blocks
from headtune.model.linear_layers import is_linear, linear_paths
from headtune.options import TuneConfig

__all__ = ["inject_lora", "lora_config", "lora_targets"]

ATTENTION = "attention"
ALL_LINEAR = "all-linear"
ATTENTION_PATH = re.compile(r"attn|attention|(^|\.)(q|k|v|o|qkv)_proj$", re.IGNORECASE)


def lora_config(backbone: PreTrainedModel, tune: TuneConfig) -> Any:
    """PEFT's ``LoraConfig``; its targets are resolved to names of this architecture.

    Raises ``ModelError`` as ``lora_targets`` does.
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
    """Names of the layers that get adapters, as PEFT takes them: the end of a path each.

    Raises ``ModelError`` where no projections of attention are found.
    """
    names: list[str] = []
    for target in tune.lora_targets:
        if target == ATTENTION:
            names += _attention_projections(backbone)
        elif target == ALL_LINEAR:
            names += _shortest_ends(linear_paths(backbone), among=())
        else:
            names.append(target)
    return tuple(dict.fromkeys(names))


def _attention_projections(backbone: PreTrainedModel) -> list[str]:
    paths = linear_paths(backbone)
    found = [path for path in paths if ATTENTION_PATH.search(path)]
    if not found:
        raise ModelError(
            f"No attention projections are found in {backbone.config.model_type!r}.",
            option="lora_targets",
            way_out=f"Name the layers that get adapters with {option('lora_targets')}. "
            f"It has: {_names(paths)}.",
        )
    return _shortest_ends(found, among=[path for path in paths if path not in found])


def _shortest_ends(paths: list[str], among: Sequence[str]) -> list[str]:
    """``q_proj`` of ``self_attn.q_proj``; ``attn.c_proj`` where ``mlp.c_proj`` is another's."""
    return [_shortest_end(path.split("."), among) for path in paths]


def _shortest_end(parts: list[str], among: Sequence[str]) -> str:
    ends = (".".join(parts[-n:]) for n in range(1, len(parts)))
    own = (end for end in ends if not any(f".{other}".endswith(f".{end}") for other in among))
    return next(own, ".".join(parts))


def inject_lora(backbone: PreTrainedModel, tune: TuneConfig) -> None:
    """Put adapters around the layers, in place.

    Raises ``ModelError`` where the architecture has no layer of a name that was given, or PEFT
    refuses one.
    """
    from peft import inject_adapter_in_model

    linear = [f".{name}" for name, module in backbone.named_modules() if is_linear(module)]
    for target in lora_targets(backbone, tune):  # PEFT is content when one of them is there
        if not any(name.endswith(f".{target}") for name in linear):
            raise ModelError(
                f"{option('lora_targets', target)}: no such linear layers in this model.",
                option="lora_targets",
                way_out=f"It has: {_names(linear)}.",
            )
    config = lora_config(backbone, tune)
    config.modules_to_save = None  # the head is not part of the backbone
    try:
        inject_adapter_in_model(config, backbone)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"PEFT cannot put adapters there: {reason} ({option('lora_targets')})",
            option="lora_targets",
        ) from error


def _transposed(backbone: PreTrainedModel) -> bool:
    """Whether linear layers keep their weight transposed, as GPT-2's Conv1D does."""
    return any(type(module).__name__ == "Conv1D" for module in backbone.modules())


def _names(paths: Sequence[str]) -> str:
    return ", ".join(sorted({path.rpartition(".")[2] for path in paths}))
