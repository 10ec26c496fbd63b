"""What a killed run goes on from."""

import json
from pathlib import Path

import pytest

from headtune.errors import ConfigError
from headtune.options import RunConfig
from headtune.run.checkpoints import UnfinishedRun

CONFIG = RunConfig(source="messages.csv")


@pytest.fixture
def work(tmp_path: Path) -> UnfinishedRun:
    """A run that was killed after its first checkpoint."""
    unfinished = UnfinishedRun.of(tmp_path / "run")
    unfinished.begin(CONFIG, "these rows", resume=False)
    (unfinished.path / "checkpoint-10").mkdir()
    (unfinished.path / "checkpoint-10" / "trainer_state.json").write_text("{}")
    return unfinished


def test_the_same_options_and_rows_go_on(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=False, resume=True)
    work.begin(CONFIG, "these rows", resume=True)
    assert work.has_checkpoint


def test_what_was_killed_before_a_whole_checkpoint_is_in_nobodys_way(work: UnfinishedRun) -> None:
    with pytest.raises(ConfigError, match="Go on with resume=True"):
        work.check(CONFIG, overwrite=False, resume=False)
    (work.path / "checkpoint-10" / "trainer_state.json").unlink()
    work.check(CONFIG, overwrite=False, resume=False)


def test_other_rows_are_refused(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=False, resume=True)
    with pytest.raises(ConfigError, match=r"rows of messages\.csv are not those .* overwrite=True"):
        work.begin(CONFIG, "other rows", resume=True)
    assert work.has_checkpoint


def test_starting_anew_forgets_the_checkpoints(work: UnfinishedRun) -> None:
    work.check(CONFIG, overwrite=True, resume=False)
    work.begin(CONFIG, "these rows", resume=False)
    assert not work.has_checkpoint


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"other": 1}'])
def test_a_record_that_cannot_be_read_is_no_unfinished_run(
    work: UnfinishedRun, content: str
) -> None:
    work.options.write_text(content)
    with pytest.raises(ConfigError, match="no unfinished run"):
        work.check(CONFIG, overwrite=False, resume=True)
    work.check(CONFIG, overwrite=False, resume=False)
    work.begin(CONFIG, "these rows", resume=False)
    work.check(CONFIG, overwrite=False, resume=True)


def test_an_option_of_another_version_is_named(work: UnfinishedRun) -> None:
    recorded = json.loads(work.options.read_text())
    recorded["config"]["train"]["momentum"] = 0.9
    work.options.write_text(json.dumps(recorded))
    with pytest.raises(ConfigError, match=r"had momentum = 0\.9, not None"):
        work.check(CONFIG, overwrite=False, resume=True)
