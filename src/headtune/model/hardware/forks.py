"""A child of a fork computes as its parent does: what a fork would break is put right around it.

gunicorn with ``--preload`` and multiprocessing on Linux fork a process that has loaded a model. The
child has one thread; what its other threads were for, and what they were doing, is copied all the
same:

before      Passes and loads of other threads end, so that no model is halfway through one. GNU's
            OpenMP, which torch's Linux builds bring along, ends the threads that it keeps for this
            one: a child would wait for them for ever, and parent and child make new ones when
            they next compute. (Intel's and LLVM's see to that themselves.)
in a child  Locks are new ones, each where it is kept. Texts are encoded by one thread, since those
            of the tokenizers library are not made again. What was on a GPU is lost: CUDA cannot go
            on in a child, which is said when it is asked to.

Where the threads of OpenMP could not be ended (an old libgomp; a program in C that forked without
Python's knowledge), the child computes with one thread: right, and slow.

Guarantees: nothing here changes what is computed. Costs: 2 milliseconds a fork, and the end of the
passes that are under way, ``PATIENCE_SECONDS`` at most.

Source: OpenMP 5.0, section 3.2.44, omp_pause_resource_all.
"""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from headtune.errors import ModelError
from headtune.pretrained import TURNS
from headtune.processes import in_each_forked_child

__all__ = ["PATIENCE_SECONDS", "require_gpu_of_this_process"]

PATIENCE_SECONDS = 30.0
"""How long a fork waits for passes and loads of other threads."""

LOADED_FILES = Path("/proc/self/maps")
OMP_PAUSE_SOFT = 1


@dataclass(slots=True)
class _Fork:
    """What holds of a fork that is under way; ``gpu_is_lost`` in its child, for ever."""

    is_alone: bool = False
    has_no_threads: bool = False
    has_gpu: bool = False
    gpu_is_lost: bool = False


_FORK = _Fork()


def require_gpu_of_this_process(device: torch.device) -> None:
    """Raise ``ModelError`` for a GPU in a child whose parent had begun to use one."""
    if device.type == "cuda" and _FORK.gpu_is_lost:
        raise ModelError(
            "This process was forked from one that had used the GPU, which CUDA does not allow: "
            "nothing can be computed on it here.",
            option="device",
            way_out='Start processes with multiprocessing\'s "spawn", or let each load the '
            "classifier for itself, after the fork.",
        )


def _before() -> None:
    _FORK.is_alone = TURNS.begin_alone(PATIENCE_SECONDS)
    _FORK.has_no_threads = _end_threads()
    _FORK.has_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]


def _in_parent() -> None:
    if _FORK.is_alone:
        TURNS.end_alone()
    _FORK.is_alone = _FORK.has_no_threads = False


def _in_child() -> None:
    # torch makes its second pool of threads anew when it is next told their number; where two
    # threads tell it at the same time, as those that load weights would, it fails.
    torch.set_num_threads(torch.get_num_threads() if _FORK.has_no_threads else 1)
    _FORK.gpu_is_lost |= _FORK.has_gpu
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _in_parent()


def _end_threads() -> bool:
    """End those that GNU's OpenMP keeps for this thread; False where it cannot."""
    try:
        return all(_paused(ctypes.CDLL(path)) for path in _gnu_openmp())
    except (OSError, AttributeError):
        return False


def _paused(library: ctypes.CDLL) -> bool:
    return bool(library.omp_pause_resource_all(OMP_PAUSE_SOFT) == 0)


def _gnu_openmp() -> set[str]:
    """The files of it that are loaded: torch has one, scikit-learn another. None but on Linux."""
    try:
        lines = LOADED_FILES.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return set()
    fields = (line.split(maxsplit=5) for line in lines if "libgomp" in line)
    return {found[5] for found in fields if len(found) == 6}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent)
in_each_forked_child(_in_child)
