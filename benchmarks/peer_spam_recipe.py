"""The published spam recipe in its own way: a plain PyTorch loop over padded batches.

Every message is padded to the longest of the training part. Each step runs all blocks forward,
although all but the last are frozen; the last block, the final norm and a linear head are trained
with AdamW (learning rate 5e-5, weight decay 0.1, batches of 8), in fp32. No padding mask: the
state of the last position, padding or not, is classified, as in the publication.

The model code is transformers' GPT-2 with its fused attention, which is faster than the hand-made
attention of the publication: the comparison errs in the peer's favour.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from headtune.types import TokenizedExample

__all__ = ["SpamRecipe"]


class SpamRecipe:
    """A GPT-2 with a head, and how the recipe trains and scores it.

    Args:
        backbone: transformers' GPT-2 without language-model head; its weights are changed.
        head: Weight of the new head, shape ``(n_labels, hidden_size)``.
        length: Tokens that every message is padded, or cut, to.
        last_real_token: Classify the last token of the message instead of the last position: what
            headtune computes, for a test that compares the two.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        head: torch.Tensor,
        *,
        length: int,
        padding_id: int,
        last_real_token: bool = False,
    ) -> None:
        self.backbone = backbone
        self.length = length
        self.padding_id = padding_id
        self.last_real_token = last_real_token
        self.head = nn.Linear(head.shape[1], head.shape[0], bias=False)
        with torch.no_grad():
            self.head.weight.copy_(head)
        backbone.requires_grad_(False)
        trained = [*backbone.h[-1].parameters(), *backbone.ln_f.parameters()]
        for parameter in trained:
            parameter.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(
            [*trained, *self.head.parameters()], lr=5e-5, weight_decay=0.1
        )

    def loss(self, examples: Sequence[TokenizedExample]) -> torch.Tensor:
        """Mean cross-entropy of a batch, a scalar."""
        labels = torch.tensor([example.label for example in examples])
        return cross_entropy(self.logits(examples), labels)

    def logits(self, examples: Sequence[TokenizedExample]) -> torch.Tensor:
        """Shape ``(n_examples, n_labels)``."""
        input_ids = torch.full((len(examples), self.length), self.padding_id)
        ends = []
        for row, example in enumerate(examples):
            ids = torch.from_numpy(example.input_ids[: self.length].astype("int64"))
            input_ids[row, : len(ids)] = ids
            ends.append(len(ids) - 1 if self.last_real_token else self.length - 1)
        states = self.backbone(input_ids=input_ids, use_cache=False).last_hidden_state
        logits: torch.Tensor = self.head(states)  # (n_examples, length, n_labels), as published
        return logits[torch.arange(len(examples)), torch.tensor(ends)]

    def train_step(self, examples: Sequence[TokenizedExample]) -> float:
        """One optimizer step; the loss before it."""
        self.backbone.train()
        self.optimizer.zero_grad()
        loss = self.loss(examples)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item()

    def count_right(self, examples: Sequence[TokenizedExample]) -> int:
        """Messages of a batch that are classified right."""
        self.backbone.eval()
        with torch.no_grad():
            predicted = self.logits(examples).argmax(dim=-1)
        labels = torch.tensor([example.label for example in examples])
        return int((predicted == labels).sum())
