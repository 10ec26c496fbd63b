"""One pass at a time through a model; any number of models at once.

A pass hangs hooks on the modules of a backbone, steps over its blocks, or puts embeddings in the
place of others, so threads that ask one model take turns. Nothing is lost: one pass uses all cores
of a CPU, and on a GPU what follows waits for it anyway. Another model has modules of its own, and
what all share is never changed in a pass: the attention that transformers knows by name is
registered once, at import, and the format of autocast and the recording of gradients belong to a
thread.

The lock belongs to the backbone, not to the classifier around it: several heads on one backbone
share its modules. It is kept beside the model, since a lock can be neither copied nor pickled.
"""

import threading
import weakref

from torch import nn

__all__ = ["one_pass"]

_LOCKS: "weakref.WeakKeyDictionary[nn.Module, threading.RLock]" = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


def one_pass(backbone: nn.Module) -> "threading.RLock":
    """The lock of a backbone, to be held for a pass; the thread that holds it may take it again."""
    with _MAKING:
        return _LOCKS.setdefault(backbone, threading.RLock())
