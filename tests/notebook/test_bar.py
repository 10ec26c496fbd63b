"""The notebook's bar: what it shows, how often, and what is left of it."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from headtune.errors import ConfigError
from headtune.notebook import NotebookProgress, in_notebook, listening
from headtune.notebook.bar import SECONDS_BETWEEN_DRAWINGS
from headtune.progress import SilentProgress


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """An output that keeps all that it was told."""

    def __init__(self) -> None:
        self.html: list[str] = []
        self.text: list[str] = []

    def show(self, html: str, text: str) -> None:
        self.html.append(html)
        self.text.append(text)


def test_a_stage_has_a_bar_with_rate_time_left_and_loss() -> None:
    clock, shown = Clock(), Shown()
    progress = NotebookProgress(shown, clock)
    progress.stage("Training")
    progress.start(3600, "examples")
    clock.now += 30
    progress.advance(900, 30_000, loss=0.31234)
    assert shown.text[-1] == (
        "Training  900 of 3,600  1:30 left  30 examples/s  1,000 tokens/s  loss 0.3123"
    )
    assert '<progress aria-label="Training" max="1" value="0.2500"' in shown.html[-1]
    assert "<script" not in shown.html[-1]


def test_an_unknown_total_has_a_bar_without_a_value() -> None:
    shown = Shown()
    progress = NotebookProgress(shown)
    progress.start(0, "rows")
    assert "<progress" in shown.html[-1]
    assert "value=" not in shown.html[-1]


def test_it_draws_at_most_five_times_a_second() -> None:
    clock, shown = Clock(), Shown()
    progress = NotebookProgress(shown, clock)
    progress.stage("Training")
    progress.start(10_000, "examples")
    before = len(shown.html)
    for _ in range(10_000):
        clock.now += 0.001
        progress.advance(1)
    assert len(shown.html) - before <= 10 / SECONDS_BETWEEN_DRAWINGS <= 50
    assert len(shown.html) - before >= 20


def test_the_end_is_a_still_line_with_the_log_folded_below() -> None:
    clock, shown = Clock(), Shown()
    with NotebookProgress(shown, clock) as progress:
        progress.stage("Loading the model")
        progress.say("Computing in float32.")
        progress.stage("Training")
        progress.start(40, "examples")
        clock.now += 10
        progress.advance(40, loss=0.5)
        progress.finish()
        progress.stage("Scoring after training")
        progress.start(4, "examples")
        progress.advance(4)
        progress.finish()
    assert shown.text[-1].startswith(
        "Done in 10 s. Training: 40 examples in 10.0 s: 4.0 examples/s"
    )
    assert "loss 0.5" in shown.text[-1]
    assert "<progress" not in shown.html[-1]
    assert "Computing in float32." in shown.html[-1]


def test_an_exception_also_ends_in_a_still_line() -> None:
    shown = Shown()

    def work() -> None:
        with NotebookProgress(shown) as progress:
            progress.stage("Training")
            progress.start(40, "examples")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert shown.text[-1].startswith("Stopped after 0.0 s, while: Training.")
    assert "<progress" not in shown.html[-1]


def test_what_is_said_is_escaped() -> None:
    shown = Shown()
    with NotebookProgress(shown) as progress:
        progress.stage("<b>stage</b>")
        progress.say("<script>alert(1)</script>\x1b[2J")
        progress.start(2, "examples")
        progress.advance(1)
    assert not [html for html in shown.html if "<script>" in html or "<b>stage" in html]
    assert "\x1b" not in "".join(shown.html + shown.text)


def test_used_again_it_starts_anew() -> None:
    shown = Shown()
    progress = NotebookProgress(shown)
    for name in ("first", "second"):
        with progress:
            progress.stage(name)
    assert "first" not in shown.html[-1]


class Kernel:
    """A notebook's IPython, as far as it is asked."""

    def __init__(self) -> None:
        self.execution_count = 1
        self.kernel = SimpleNamespace()
        self.calls: list[tuple[str, str]] = []

    def display(self, data: Any, *, raw: bool, display_id: str) -> None:
        self.calls.append(("new", display_id))

    def update_display(self, data: Any, *, raw: bool, display_id: str) -> None:
        self.calls.append(("replaced", display_id))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    shell = Kernel()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    vars(ipython)["get_ipython"] = lambda: shell
    vars(display).update(display=shell.display, update_display=shell.update_display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shell


def test_in_a_notebook_the_bar_is_what_listens(kernel: Kernel) -> None:
    assert in_notebook()
    with listening(None) as heard:
        assert isinstance(heard, NotebookProgress)
        heard.stage("Reading")
        heard.stage("Training")
    (first, name), *others = kernel.calls
    assert first == "new"
    assert len(others) == 2
    assert set(others) == {("replaced", name)}


def test_another_cell_has_an_output_of_its_own(kernel: Kernel) -> None:
    progress = NotebookProgress()
    progress.stage("one")
    kernel.execution_count = 2
    progress.stage("two")
    assert [kind for kind, _ in kernel.calls] == ["new", "new"]
    assert len({name for _, name in kernel.calls}) == 2


def test_a_fork_of_the_kernel_and_ipythons_terminal_are_no_notebook(kernel: Kernel) -> None:
    kernel.kernel.session = SimpleNamespace(pid=-1)
    assert not in_notebook()
    vars(kernel)["kernel"] = None
    assert not in_notebook()


@pytest.mark.parametrize("listener", [False, SilentProgress()])
def test_silence_where_it_is_wanted(kernel: Kernel, listener: Any) -> None:
    with listening(listener) as heard:
        heard.stage("Reading")
    assert kernel.calls == []


def test_elsewhere_nobody_listens_and_ipython_is_not_imported() -> None:
    before = "IPython" in sys.modules
    with listening(None) as heard:
        assert isinstance(heard, SilentProgress)
    NotebookProgress().stage("Reading")
    assert ("IPython" in sys.modules) is before


def test_what_cannot_listen_is_refused() -> None:
    listener: Any = True
    with pytest.raises(ConfigError, match="not True"), listening(listener):
        pass
