"""The yardstick of every speed that headtune reports: the machine's matrix product.

How many floating-point operations a second this machine does when it multiplies two large matrices
of one format, with as many threads as torch uses now: nothing that a model does can exceed it.
Sides of 256 and more are tried, doubled until one product takes 10 ms, 8,192 at most; each is
warmed up and multiplied for some turns; the best rate of them is taken. It is measured once a
machine, when that is quiet (see ``timing`` and ``measured``), and else is not known.

Guarantees: a share of the yardstick is never above one. Who reaches more than all of it has found a
wrong yardstick: it is measured anew, and if that does not help, it is said to be unknown. Costs:
0.5 s a format and machine; 1.5 s each time where the machine is busy.
"""

from functools import partial

import torch

from headtune.model.hardware.measured import drop_measured, measured
from headtune.model.hardware.timing import Turns, take_turns

__all__ = ["FORMATS", "matrix_product_rate", "rate_and_share"]

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Those that models are computed in."""

SMALLEST_SIDE, LARGEST_SIDE = 256, 8_192

SECONDS_A_PRODUCT = 0.01
"""From here on, starting a product does not count; larger ones are no faster."""

LEAST_SECONDS, MOST_SECONDS = 0.1, 0.4
"""Of measuring for each side."""

_busy: set[str] = set()
"""What this process could not tell: it is not tried again, at a second and a half each time."""


def matrix_product_rate(dtype: torch.dtype, device: torch.device) -> float | None:
    """Floating-point operations a second, or None where the machine is too busy to tell.

    Args:
        dtype: float32, bfloat16 or another format that ``torch.nn.functional.linear`` takes.
    """
    name = _name(dtype, device)
    if name in _busy:
        return None
    found = measured(name, partial(_measure, dtype, device))
    if found is None:
        _busy.add(name)
    return found


def rate_and_share(
    useful: float, dtype: torch.dtype, device: torch.device
) -> tuple[float | None, float | None]:
    """The yardstick, and the share of it that ``useful`` operations a second are.

    Both None where the yardstick is not known, or was reached in full twice: then it was wrong.
    """
    rate = matrix_product_rate(dtype, device)
    if rate is not None and useful > rate:
        drop_measured(_name(dtype, device))
        rate = matrix_product_rate(dtype, device)
    if rate is None:
        return None, None
    if useful > rate:
        drop_measured(_name(dtype, device))
        return None, None
    return rate, useful / rate


def _name(dtype: torch.dtype, device: torch.device) -> str:
    format_name = str(dtype).removeprefix("torch.")
    if device.type == "cpu":
        return f"matrix product, {format_name}, threads: {torch.get_num_threads()}"
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return f"matrix product, {format_name}, {card}"


def _measure(dtype: torch.dtype, device: torch.device) -> float | None:
    """The best of all sides that could be told; None where the largest could not.

    A small product may leave cores idle by itself, which looks like another program on them.
    """
    best, side = 0.0, SMALLEST_SIDE
    while True:
        turns = _product_turns(side, dtype, device)
        seconds = turns.reproducible()
        if seconds is not None:
            best = max(best, 2.0 * side**3 / seconds)
        if (seconds or turns.best) >= SECONDS_A_PRODUCT or side == LARGEST_SIDE:
            return None if seconds is None else best
        side *= 2


def _product_turns(side: int, dtype: torch.dtype, device: torch.device) -> Turns:
    a, b = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
    product = partial(torch.nn.functional.linear, a, b)
    (turns,) = take_turns([product], device, least_seconds=LEAST_SECONDS, most_seconds=MOST_SECONDS)
    return turns
