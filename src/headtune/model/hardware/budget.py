"""How many tokens go through a model at once, where the user gave no number.

More than ``ON_A_CPU`` or ``ON_AN_ACCELERATOR`` tokens make nothing faster: by then the matrix
products are as fast as they get. Fewer are taken where memory is short, since a CPU that runs out
of it is not told so: the system ends the process. The number is halved until half of the free
memory holds what a batch needs, as estimated:

- going forward, the rows of one block: a few of the model's width, and of its widest layer;
- in training, what the trained layers and those above keep for the backward pass, which is about
  twice what their linear layers give; with recomputation, one state a block and one block's rows.

Guarantees: the same number on the same machine unless memory is short, so that runs repeat bit
for bit. Costs: a walk over the modules.
"""

from dataclasses import dataclass

import psutil
import torch
from torch import nn

from headtune.model.sequence_classifier import SequenceClassifier

__all__ = ["TokenBudget", "bytes_per_token", "token_budget"]

ON_A_CPU, ON_AN_ACCELERATOR, LEAST = 2_048, 16_384, 256
SHARE_OF_FREE_MEMORY = 0.5
KEPT_PER_OUTPUT = 2.1
"""Numbers kept for the backward pass, for each that a linear layer gives: its input, or what norm,
rotation, softmax and activation keep. Measured over the families of the tests."""


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """Most tokens in one forward pass; ``free_bytes`` is there where memory was the reason."""

    max_tokens: int
    free_bytes: int | None = None


def token_budget(
    classifier: SequenceClassifier, *, trains: bool, recomputes: bool = False
) -> TokenBudget:
    """The budget of a loaded model; ``recomputes``: trained with activation checkpointing."""
    device = classifier.device
    budget = ON_A_CPU if device.type == "cpu" else ON_AN_ACCELERATOR
    free = _free_bytes(device)
    if free is None:
        return TokenBudget(budget)
    needed = bytes_per_token(classifier, trains=trains, recomputes=recomputes)
    fitting = budget
    while fitting > LEAST and fitting * needed > SHARE_OF_FREE_MEMORY * free:
        fitting //= 2
    return TokenBudget(fitting, free if fitting < budget else None)


def bytes_per_token(
    classifier: SequenceClassifier, *, trains: bool, recomputes: bool = False
) -> int:
    """What a token takes besides the weights, estimated; attention scores are bounded apart."""
    config = classifier.backbone.config.get_text_config()
    hidden = int(config.hidden_size)
    n_blocks = int(config.num_hidden_layers)
    widths = _linear_outputs(classifier.backbone)
    numbers = 8.0 * hidden + 3.0 * max(widths, default=hidden)
    if trains:
        live = [width for module in classifier.live for width in _linear_outputs(module)]
        kept = KEPT_PER_OUTPUT * sum(live)
        numbers += kept / n_blocks + hidden * n_blocks if recomputes else kept
    return int(numbers * classifier.compute_dtype.itemsize)


def _linear_outputs(module: nn.Module) -> list[int]:
    """Width of the output of each linear layer; adapters add little, and are left out."""
    layers = [layer for name, layer in module.named_modules() if "lora_" not in name]
    conv1d = [layer.nf for layer in layers if type(layer).__name__ == "Conv1D"]
    return conv1d + [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]


def _free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had, or None where it is not known."""
    if device.type == "cpu":
        return int(psutil.virtual_memory().available)
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return None
