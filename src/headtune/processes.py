"""Several processes that train one classifier together, as torchrun and accelerate launch them.

Each has a device of its own and the whole model. All read the same table and draw the same steps;
of the examples of a step, of the texts for frozen layers and of what is scored, each works on its
share (``share_out``), and DistributedDataParallel averages the gradients. The main process, rank 0,
alone speaks and writes.

The ranks are those of the environment variables that PyTorch's launchers set
(https://docs.pytorch.org/docs/stable/elastic/run.html). Without them there is one process, and
nothing here imports torch.

Processes that know nothing of each other share cores too: ``wait_without_spinning`` is for these.

Imports nothing but errors.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from headtune.errors import ConfigError, TrainingError, option

__all__ = [
    "all_gather",
    "broadcast",
    "check_launched",
    "in_each_forked_child",
    "is_main",
    "join_group",
    "leave_group",
    "local_rank",
    "n_processes",
    "rank",
    "wait_without_spinning",
    "who_is_waited_for",
]


Value = TypeVar("Value")

LONGEST_WAIT = timedelta(hours=1)
"""How long one waits for the others' share of the work before it gives up."""

LAUNCHED_WITH = ("RANK", "MASTER_ADDR", "MASTER_PORT")
"""What a launcher sets beside WORLD_SIZE: which one this is, and where all meet."""


def _number(name: str, default: int) -> int:
    """What a launcher has set; ``check_launched`` says where it is no number."""
    given = os.environ.get(name, "")
    return int(given) if given.isdecimal() else default


def n_processes() -> int:
    """How many there are; 1 where nothing was launched."""
    return max(1, _number("WORLD_SIZE", 1))


def rank() -> int:
    """Which of them this one is, from 0."""
    return _number("RANK", 0)


def local_rank() -> int:
    """Which of those on this machine it is: the number of its GPU."""
    return _number("LOCAL_RANK", 0)


def check_launched() -> None:
    """Raises ``ConfigError`` where WORLD_SIZE speaks of several, and the rest does not fit it."""
    if n_processes() == 1:
        return
    found = {name: os.environ.get(name, "") for name in LAUNCHED_WITH}
    missing = [name for name, value in found.items() if not value]
    if not missing and found["RANK"].isdecimal() and rank() < n_processes():
        return
    wrong = f"not {' and '.join(missing)}" if missing else f"RANK={found['RANK']}"
    raise ConfigError(
        f"WORLD_SIZE={n_processes()} says that so many processes train together, and there is "
        f"{wrong}.",
        way_out="Start them with torchrun, which sets all of it; or unset WORLD_SIZE.",
    )


def who_is_waited_for() -> str:
    """The other processes, by their ranks, and where they meet."""
    ranks = [str(other) for other in range(n_processes()) if other != rank()]
    shown = ", ".join(ranks[:8]) + (", …" if len(ranks) > 8 else "")
    where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
    return f"process{'es' if len(ranks) > 1 else ''} {shown} of {n_processes()} at {where}"


def is_main() -> bool:
    """Whether this one speaks and writes."""
    return rank() == 0


def join_group(device: Any, seconds: float) -> None:
    """Meet the others, for what is done together on these devices (``torch.device``).

    For processes that ``check_launched`` has found whole. Raises ``TrainingError`` where one of
    them has not come after so many seconds.
    """
    if n_processes() == 1:
        return
    import torch
    from torch.distributed.rendezvous import rendezvous

    if device.type == "cuda":
        torch.cuda.set_device(device)
    if not torch.distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        try:
            store, _, _ = next(rendezvous("env://", timeout=timedelta(seconds=seconds)))
        except RuntimeError as error:  # DistStoreError, DistNetworkError
            reason = " ".join(str(error).split())[:200]
            raise TrainingError(
                f"Waited {seconds:g} s for {who_is_waited_for()}, in vain: {reason}.",
                option="rendezvous_timeout",
                way_out=f"Start them all at once, or wait longer: {option('rendezvous_timeout')}",
            ) from error
        store.set_timeout(LONGEST_WAIT)
        torch.distributed.init_process_group(
            backend, store=store, rank=rank(), world_size=n_processes(), timeout=LONGEST_WAIT
        )


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
