"""One pass at a time through a model; any number of models at once.

A pass hangs hooks on the modules of a backbone, steps over its blocks, or puts embeddings in the
place of others, so threads that ask one model take turns. Nothing is lost: one pass uses all cores
of a CPU, and on a GPU what follows waits for it anyway. Another model has modules of its own, and
what all share is never changed in a pass: the attention that transformers knows by name is
registered once, at import, and the format of autocast and the recording of gradients belong to a
thread. What does change it, a model that is being loaded, waits for passes to end and they for it
(``pretrained/turns.py``).

The lock belongs to the backbone, not to the classifier around it: several heads on one backbone
share its modules. It is kept beside the model, since a lock can be neither copied nor pickled.

A child of a fork gets new locks. A fork waits for passes to end (``hardware/forks.py``); should one
take too long, the child's copy of that model is halfway through it, and is refused.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from headtune.errors import ModelError
from headtune.model.hardware.forks import require_gpu_of_this_process
from headtune.pretrained import beside
from headtune.processes import in_each_forked_child

__all__ = ["lock_of", "one_pass"]

_LOCKS: "weakref.WeakKeyDictionary[nn.Module, threading.RLock]" = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()
_HALFWAY: "weakref.WeakSet[nn.Module]" = weakref.WeakSet()
"""Models of this process that another thread was in when it was forked."""


@contextmanager
def one_pass(backbone: nn.Module) -> Iterator[None]:
    """Within, no other thread is in a pass through this model; who is within may enter again.

    Raises ``ModelError`` in a forked process whose copy of the model cannot be used.
    """
    require_gpu_of_this_process(next(backbone.parameters()).device)
    if backbone in _HALFWAY:
        raise ModelError(
            "This process was forked while another thread was in a pass through this model, and "
            "has a copy that is halfway through it.",
            way_out="Load the classifier again here, or fork while no thread predicts.",
        )
    with beside(), lock_of(backbone):
        yield


def lock_of(backbone: nn.Module) -> "threading.RLock":
    """The lock of a backbone, to be held for a pass."""
    with _MAKING:
        return _LOCKS.setdefault(backbone, threading.RLock())


def _begin_anew() -> None:
    """In a child: locks that nobody holds, and a note of models that another thread was in."""
    global _LOCKS, _MAKING
    for backbone, lock in list(_LOCKS.items()):
        if not lock.acquire(blocking=False):
            _HALFWAY.add(backbone)
    _LOCKS, _MAKING = weakref.WeakKeyDictionary(), threading.Lock()


in_each_forked_child(_begin_anew)
