"""headtune push, against the hub on localhost: what arrives, and what is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Console, Trained, hub_environment
from .server import TOKEN, Hub


@pytest.fixture(scope="module")
def pusher(hub: Hub, trained: Trained) -> Iterator[Console]:
    """A process with the right token. Files go in the commit: xet's servers are not imitated."""
    more = {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    with Console(hub_environment(hub.url, trained.home) | more, trained.home) as console:
        yield console


def test_the_files_of_the_manifest_arrive_and_nothing_else(
    pusher: Console, hub: Hub, trained: Trained, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    (run / "diary.txt").write_text("not for others")
    result = pusher("push", run, "tester/pushed", "--private")
    assert result.code == 0, result.err
    assert result.out.strip() == f"{hub.url}/tester/pushed"
    repository = hub.repositories["models/tester/pushed"]
    assert repository.private
    sent = repository.commits[repository.branches["main"]]
    assert dict(sent) == {path.name: path.read_bytes() for path in trained.folder.iterdir()}


def test_a_repository_that_is_there_is_left_alone_unasked(
    pusher: Console, hub: Hub, trained: Trained
) -> None:
    repository = hub.add("models/tester/taken", {"own.txt": b"mine"})
    error = pusher("push", trained.folder, "tester/taken").error
    assert "tester/taken is there already. Choose another name" in error
    error = pusher("push", trained.folder, "tester/taken", "--private", "--overwrite").error
    assert "anybody can read it" in error
    assert len(repository.commits) == 1
    result = pusher("push", trained.folder, "tester/taken", "--overwrite")
    assert result.code == 0, result.err
    assert "headtune.json" in repository.commits[repository.branches["main"]]


def test_a_run_that_does_not_verify_is_not_sent(
    pusher: Console, hub: Hub, trained: Trained, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    weights = run / "trained.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    n_before = len(hub.requests)
    assert "trained.safetensors is not the file" in pusher("push", run, "tester/bad").error
    assert [r for r in hub.requests[n_before:] if r.method == "POST"] == []
    assert "named user/name" in pusher("push", run, "justname").error


def test_no_token_a_wrong_one_and_no_hub(hub: Hub, trained: Trained) -> None:
    environment = hub_environment(hub.url, trained.home) | {"HF_HUB_DISABLE_XET": "1"}
    with Console(environment, trained.home) as console:
        assert "wants a token" in console("push", trained.folder, "tester/none").error
    with Console(environment | {"HF_TOKEN": "hf_wrong"}, trained.home) as console:
        assert "may not write" in console("push", trained.folder, "tester/none").error
    closed = environment | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": TOKEN}
    with Console(closed, trained.home) as console:
        assert "Is the hub in reach?" in console("push", trained.folder, "tester/none").error
    assert "models/tester/none" not in hub.repositories
