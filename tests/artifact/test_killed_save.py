"""A save that is killed, at whichever write, leaves the old run or the new one.

Each case is a process of its own (a fork, which has the classifier in memory) that saves and is
killed with SIGKILL in front of its k-th operation on the file system, for every k until a save
comes through. Operations are what Python reports to audit hooks (opening for writing, making,
renaming, removing, changing rights), the writing of safetensors, half of which is done before the
kill, and the exchange of names. Then the folder is loaded.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtune import TextClassifier
from headtune.artifact import load_artifact, save
from headtune.errors import ArtifactNotFoundError
from headtune.files import publish
from tests_support import TEXTS, TOPICS

CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def classifiers(tiny_llama: Path) -> tuple[TextClassifier, TextClassifier]:
    """Two that answer differently: an old one and a new one."""
    old, new = (
        TextClassifier(str(tiny_llama), "last-1", max_steps=2, seed=seed).fit(TEXTS, TOPICS)
        for seed in (1, 2)
    )
    assert answer(old) != answer(new)
    return old, new


def answer(classifier: TextClassifier) -> bytes:
    return bytes(classifier.predict_proba(TEXTS[:4]).tobytes())


def killed_at(number: int, act: Callable[[], object], patch: pytest.MonkeyPatch) -> bool:
    """Whether a child doing ``act`` was killed at its ``number``-th operation, or came through."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _kill_at(number, patch)
            act()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _kill_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """In the child: from here on operations are counted."""
    count = 0

    def operation() -> bool:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or event in CHANGES:
            operation()

    exchange, fsync = publish._exchange, os.fsync
    patch.setattr(publish, "_exchange", lambda *names: operation() or exchange(*names))
    patch.setattr(os, "fsync", lambda descriptor: operation() or fsync(descriptor))
    for module in ("weights", "probes"):
        name = f"headtune.artifact.{module}.save_file"
        original = sys.modules[f"headtune.artifact.{module}"].save_file

        def half_then_whole(tensors: Any, path: Any, original: Any = original, **more: Any) -> None:
            original(tensors, path, **more)
            whole = Path(path).read_bytes()
            Path(path).write_bytes(whole[: len(whole) // 2])
            operation()
            Path(path).write_bytes(whole)

        patch.setattr(name, half_then_whole)
    sys.addaudithook(hear)


@pytest.mark.parametrize("exchanges", [True, False], ids=["exchange", "step aside"])
@pytest.mark.parametrize("replaces", [False, True], ids=["new", "replaced"])
def test_killed_at_every_operation(
    classifiers: tuple[TextClassifier, TextClassifier],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    replaces: bool,
    exchanges: bool,
) -> None:
    if not exchanges:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    monkeypatch.setattr(save, "verify_in_fresh_process", lambda folder, options: None)
    old, new = classifiers
    out = tmp_path / "run"
    found: list[bytes] = []
    number = 0
    while not found or found[-1] != b"came through":
        number += 1
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        if replaces:
            old.save(out)
        if not killed_at(number, lambda: new.save(out, overwrite=True), monkeypatch):
            found.append(b"came through")
        elif replaces or out.exists():
            found.append(answer(TextClassifier.load(out)))
        else:
            with pytest.raises(ArtifactNotFoundError):
                load_artifact(out)
            found.append(b"nothing")
    killed = found[:-1]
    before = answer(old) if replaces else b"nothing"
    turn = killed.index(answer(new)) if answer(new) in killed else len(killed)
    assert killed[:turn] == [before] * turn
    assert killed[turn:] == [answer(new)] * (len(killed) - turn)
    assert turn > 20
    assert answer(TextClassifier.load(out)) == answer(new)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_next_save_clears_what_a_killed_one_left(
    classifiers: tuple[TextClassifier, TextClassifier], tmp_path: Path
) -> None:
    """Killed between stepping aside and replacing: the run is read, then saved over."""
    old, new = classifiers
    out = old.save(tmp_path / "run")
    out.rename(tmp_path / ".run.old")
    shutil.copytree(tmp_path / ".run.old", tmp_path / ".run.writing")
    assert answer(TextClassifier.load(out)) == answer(old)
    with pytest.raises(Exception, match="overwrite=True"):
        new.save(out)
    new.save(out, overwrite=True)
    assert answer(TextClassifier.load(out)) == answer(new)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
