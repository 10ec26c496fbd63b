"""What a model gives must be numbers; where it is not, the model is named, not what follows.

Not-a-number spreads: it would end as a sentence about probabilities, a loss or a file of kept
states. Costs: one pass over the logits or states of a batch; over the weights where it has failed.
"""

from collections.abc import Sequence

import torch
from torch import nn

from headtune.errors import ModelError, option

__all__ = ["check_finite", "damaged_weight"]


def check_finite(
    values: torch.Tensor, rows: Sequence[int], model: nn.Module, dtype: torch.dtype
) -> None:
    """Raises ``ModelError`` where a text has values that are infinite or not a number.

    Args:
        values: Shape ``(n, size)``.
        rows: Of each row of ``values``, the record number of its text.
        model: What gave them; its weights are looked at if it must be.
        dtype: The format it computed in.
    """
    if bool(torch.isfinite(values).all()):
        return
    is_good = torch.isfinite(values).all(dim=1)
    bad = list(
        dict.fromkeys(row for row, good in zip(rows, is_good.tolist(), strict=True) if not good)
    )
    damaged = damaged_weight(model)
    if damaged is not None:
        why = f": its weights hold such values, {damaged} among them"
        way_out = f"Fetch the model again, or give another with {option('model')}."
    elif dtype != torch.float32:
        why = f" in {str(dtype).removeprefix('torch.')}, whose range or precision is too small"
        way_out = f"Compute in float32: {option('dtype', 'float32')}."
    else:
        why = ", though its weights are numbers: a product has left the range of float32"
        way_out = f"Give another model with {option('model')}, or leave such texts out."
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    raise ModelError(
        f"The model gives what is no number (NaN or infinite) for row {bad[0]}{more}{why}.",
        row=bad[0],
        way_out=way_out,
    )


def damaged_weight(model: nn.Module) -> str | None:
    """The name of a weight that is not finite; None where all are."""
    for name, parameter in model.named_parameters():
        if parameter.is_meta or not parameter.is_floating_point():
            continue
        if not bool(torch.isfinite(parameter).all()):
            return name
    return None
