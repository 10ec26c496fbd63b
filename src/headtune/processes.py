"""Several processes that train one classifier together, as torchrun and accelerate launch them.

Each has a device of its own and the whole model. All read the same table and draw the same steps;
of the examples of a step, of the texts for frozen layers and of what is scored, each works on its
share (``share_out``), and DistributedDataParallel averages the gradients. The main process, rank 0,
alone speaks and writes.

The ranks are those of the environment variables that PyTorch's launchers set
(https://docs.pytorch.org/docs/stable/elastic/run.html). Without them there is one process, and
nothing here imports torch.

Processes that know nothing of each other share cores too: ``wait_without_spinning`` is for these.

Leaf module.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

__all__ = [
    "all_gather",
    "broadcast",
    "in_each_forked_child",
    "is_main",
    "join_group",
    "leave_group",
    "local_rank",
    "n_processes",
    "rank",
    "wait_without_spinning",
]


Value = TypeVar("Value")

LONGEST_WAIT = timedelta(hours=1)
"""How long one waits for the others before it gives up."""


def n_processes() -> int:
    """How many there are; 1 where nothing was launched."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    """Which of those on this machine it is: the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_main() -> bool:
    """Whether this one speaks and writes."""
    return rank() == 0


def join_group(device: Any) -> None:
    """Meet the others, for what is done together on these devices (``torch.device``)."""
    if n_processes() == 1:
        return
    import torch

    if device.type == "cuda":
        torch.cuda.set_device(device)
    if not torch.distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, timeout=LONGEST_WAIT)


def broadcast(value: Value) -> Value:
    """What the main process has. All must ask; the others wait for it."""
    if n_processes() == 1:
        return value
    from torch.distributed import broadcast_object_list

    answer = [value]
    broadcast_object_list(answer, src=0)
    return answer[0]


def all_gather(value: Any) -> list[Any]:
    """The values of all processes, by rank. All must give theirs."""
    if n_processes() == 1:
        return [value]
    from torch.distributed import all_gather_object

    values: list[Any] = [None] * n_processes()
    all_gather_object(values, value)
    return values


def leave_group() -> None:
    """From here on nothing is done together."""
    if n_processes() > 1:
        from torch.distributed import destroy_process_group, is_initialized

        if is_initialized():
            destroy_process_group()


TURNS_OF_WAITING = "1000"
"""How often a thread looks whether the others are done before it sleeps: for some 50 microseconds,
longer than threads of a small product wait for each other, and shorter than waking one up hurts."""

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""By these the user says how threads wait."""


def wait_without_spinning() -> None:
    """Let torch's threads sleep soon when they wait for each other; before torch is imported.

    GNU's OpenMP, which torch's Linux builds bring along, otherwise looks 300,000 times, for some
    10 ms after each operation. While it looks, a thread keeps a core from the one it waits for, if
    that belongs to another program: two trainings on the same cores come almost to a standstill. A
    setting of the user stands; once torch is there, it is too late, and nothing is done. Processes
    that this one starts inherit it.

    Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in WAITING):
        os.environ["GOMP_SPINCOUNT"] = TURNS_OF_WAITING


def in_each_forked_child(renew: Callable[[], None]) -> None:
    """Call ``renew`` in every child that this process forks, before anything else runs there.

    For locks, and for notes of what other threads do: a child has none of these threads, so what
    they hold is held there for ever. Where processes cannot fork (Windows), nothing is to be done.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
