"""A finished folder to its place: whoever looks finds the old one or the new one, never a mixture.

Where nothing is in place, one ``rename`` does it. Where something is, both folders change names in
one step (``renameat2`` with ``RENAME_EXCHANGE``, Linux 3.15), and the old one is removed under the
hidden name. Where the system or its file system cannot do that, the old folder steps aside as
``.NAME.old`` first; a reader that comes in that moment, or after a process was killed in it, takes
the old folder (``in_place``), and the next save puts it back before it begins (``recover``).

A link is followed: what it leads to is replaced, and the link stays.

Guarantees: killed at any moment, the name leads to a whole folder. With ``durable`` the bytes are
on the disk before the name is, so that this holds for a power cut too. Costs: two system calls; an
``fsync`` for each file with ``durable``.
"""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["in_place", "publish", "recover", "staging"]

AT_FDCWD = -100
RENAME_EXCHANGE = 2
"""Constants of Linux's <fcntl.h> and <linux/fs.h>."""

CANNOT_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""What ``renameat2`` answers on a kernel, or a file system, without exchange."""


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """An empty hidden folder beside ``out`` to write in; removed at the end, if it is still there.

    One that a killed process left is cleared first.
    """
    out = out.resolve()
    work = out.parent / f".{out.name}.writing"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def publish(work: Path, out: Path, *, durable: bool = True) -> None:
    """Put the finished folder ``work`` in place of whatever is at ``out``. Raises ``OSError``."""
    out = out.resolve()
    if durable:
        for path in [*work.rglob("*"), work]:
            _sync(path)
    if not out.exists():
        work.rename(out)
    elif not _exchange(work, out):
        old = _aside(out)
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
        work.rename(out)
        shutil.rmtree(old)
    if durable:
        _sync(out.parent)


def in_place(path: Path) -> Path:
    """``path``, or the old folder where a save was killed between stepping aside and replacing."""
    return _aside(path) if not path.exists() and _aside(path).is_dir() else path


def recover(out: Path) -> None:
    """Give an old folder that a killed save left aside its name back."""
    if (old := in_place(out)) != out:
        old.rename(out.resolve())


def _aside(out: Path) -> Path:
    out = out.resolve()
    return out.parent / f".{out.name}.old"


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where that is not to be had."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
