"""Progress: figures that are right, a log without a terminal, a bar on one, never on stdout."""

import io

import pytest

from headtune.cli import progress as module
from headtune.cli.console import VisibleConsole
from headtune.cli.progress import ConsoleProgress
from headtune.progress import Progress, SilentProgress
from headtune.wording.work import Work


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def console(*, terminal: bool) -> VisibleConsole:
    return VisibleConsole(file=io.StringIO(), force_terminal=terminal, width=100)


def written(console: VisibleConsole) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def use(progress: Progress) -> None:
    progress.stage("Training")
    progress.say("a line")
    progress.start(40, "examples")
    for _ in range(4):
        progress.advance(10, 330, loss=0.5)
    progress.finish()


def test_status_has_rates_figures_and_the_time_left() -> None:
    clock = Clock()
    work = Work(3600, "examples", clock)
    clock.now += 30
    work.advance(1500, 49_500, {"loss": 0.31234})
    assert work.status() == (
        "1,500 of 3,600  0:42 left  50 examples/s  1,650 tokens/s  loss 0.3123"
    )


def test_the_time_left_forgets_a_machine_that_slept() -> None:
    clock = Clock()
    work = Work(4000, "examples", clock)
    clock.now += 3600  # asleep
    for _ in range(100):
        clock.now += 1
        work.advance(20, 660, {})
    assert work.status() == "2,000 of 4,000  1:40 left  20 examples/s  660 tokens/s"
    assert work.summary() == "2,000 examples in 1:01:40: 0.5 examples/s, 18 tokens/s"


def test_a_total_of_0_is_unknown() -> None:
    clock = Clock()
    work = Work(0, "rows", clock)
    clock.now += 2
    work.advance(100, 0, {})
    assert work.status() == "100 rows  50 rows/s"
    terminal = console(terminal=True)
    with ConsoleProgress(terminal) as progress:
        progress.start(0, "rows")
        progress.advance(5)
    assert "5 rows in " in written(terminal)


def test_summary_has_the_total_time() -> None:
    clock = Clock()
    work = Work(10, "rows", clock)
    clock.now += 4
    work.advance(10, 0, {})
    assert work.summary() == "10 rows in 4.0 s: 2.5 rows/s"
    clock.now += 4000
    assert work.summary().startswith("10 rows in 1:06:44")


def test_a_log_has_plain_lines() -> None:
    log = console(terminal=False)
    with ConsoleProgress(log) as progress:
        use(progress)
    heading, line, summary = written(log).splitlines()
    assert (heading, line) == ("Training", "  a line")
    assert summary.startswith("  40 examples in ")
    assert summary.endswith("tokens/s, loss 0.5")


def test_a_long_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    log = console(terminal=False)
    with ConsoleProgress(log) as progress:
        use(progress)
    assert "  10 of 40  " in written(log)


def test_a_terminal_has_a_bar_that_gives_way_to_the_summary() -> None:
    terminal = console(terminal=True)
    with ConsoleProgress(terminal) as progress:
        use(progress)
    assert "━" in written(terminal)
    assert written(terminal).rstrip().endswith("loss 0.5")


def test_the_bar_is_put_away_on_an_error() -> None:
    def fail() -> None:
        with ConsoleProgress(terminal) as progress:
            progress.start(10, "examples")
            progress.advance(1)
            raise ZeroDivisionError

    terminal = console(terminal=True)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert "\x1b[?25h" in written(terminal)  # the cursor is back
    assert "1 examples in" not in written(terminal)


def test_advance_outside_start_counts_for_nothing() -> None:
    log = console(terminal=False)
    with ConsoleProgress(log) as progress:
        progress.stage("Reading")
        progress.advance(3)
    assert written(log) == "Reading\n"


def test_silent_progress_is_a_progress(capsys: pytest.CaptureFixture[str]) -> None:
    use(SilentProgress())
    assert capsys.readouterr() == ("", "")


def test_time_left_goes_by_tokens_where_their_number_is_known() -> None:
    """Long texts come first: 10 of 100 texts, but half of the tokens."""
    now = [0.0]
    work = Work(100, "examples", clock=lambda: now[0], total_tokens=1_000)
    now[0] = 30.0
    work.advance(10, 500, {})
    assert work.share == 0.5
    assert "0:30 left" in work.status()
