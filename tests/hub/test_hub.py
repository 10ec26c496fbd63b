"""Models and data sets by their hub ids, from a hub on localhost: fetched, pinned, refused."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import DATASET, FETCHED, MODEL, Console, Trained, hub_environment
from .server import Hub, Request, files_asked

CLOSED = "http://127.0.0.1:9"


def test_train_by_model_id_and_data_set_id(trained: Trained) -> None:
    assert trained.result.code == 0, trained.result.err
    assert "60 rows read: 42 train, 6 validation, 12 test." in trained.result.err
    assert "probe texts agree" in trained.result.err
    assert "tester/tiny-llama on tester/tiny-spam" in trained.result.out


def test_the_manifest_names_the_commit(trained: Trained) -> None:
    base = json.loads((trained.folder / "headtune.json").read_text())["base_model"]
    assert (base["name"], base["revision"]) == (MODEL, trained.revision)


def test_only_what_is_needed_is_fetched_and_never_a_pickle(trained: Trained) -> None:
    assert files_asked(trained.requests, MODEL) == FETCHED
    assert files_asked(trained.requests, DATASET, sent=True) == {"train.csv", "test.csv"}


def test_nothing_is_fetched_twice(trained: Trained) -> None:
    """Although a run is loaded again, in a fresh process, to be proved."""
    sent = [r.path for r in trained.requests if r.method == "GET" and "/resolve/" in r.path]
    assert len(sent) == len(set(sent))


def test_a_run_keeps_to_its_commit_when_the_branch_moves_on(
    trained: Trained, hub: Hub, model_files: dict[str, bytes], console: Console,
    asked: Callable[[], list[Request]],
) -> None:  # fmt: skip
    """On a machine that has never seen the model: its weights of today are not asked for."""
    repository = hub.repositories[f"models/{MODEL}"]
    files, branches = repository.commits[trained.revision], dict(repository.branches)
    repository.commit({**files, "model.safetensors": b"other weights"})
    try:
        result = console("predict", trained.folder, "claim your prize", "--json")
    finally:
        repository.branches = branches
    assert result.code == 0, result.err
    assert json.loads(result.out)["label"] in ("ham", "spam")
    assert files_asked(asked(), MODEL) == FETCHED
    assert all(trained.revision in request.path for request in asked() if MODEL in request.path)


def test_a_branch_and_a_commit_are_revisions(
    hub: Hub, model_files: dict[str, bytes], console: Console, asked: Callable[[], list[Request]]
) -> None:
    repository = hub.repositories["models/tester/planned"]
    card = {"README.md": b"the same model with a card"}
    commit = repository.commit(model_files | card, branch="with-card")
    for revision in ("with-card", commit):
        plan = console(
            "train", "spam.csv", "--model", "tester/planned", "--revision", revision, "--dry-run"
        )
        assert plan.code == 0, plan.err
        fetched = [request.path for request in asked() if "/resolve/" in request.path]
        assert fetched
        assert all(commit in path for path in fetched)


def test_a_dry_run_fetches_no_weights(console: Console, asked: Callable[[], list[Request]]) -> None:
    plan = console("train", "spam.csv", "--model", "tester/planned", "--dry-run", "--json")
    assert plan.code == 0, plan.err
    values = json.loads(plan.out)
    assert values["model"]["total_parameters"] > values["model"]["trainable_parameters"] > 0
    assert files_asked(asked(), "tester/planned") <= FETCHED - {"model.safetensors"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["spam.csv", "--model", "tester/none"],
         "The hub has no model 'tester/none'. Check the spelling, or log in if it is private."),
        (["spam.csv", "--model", MODEL, "--revision", "v9"],
         "The hub has no model 'tester/tiny-llama' at revision 'v9'."),
        (["spam.csv", "--model", MODEL, "--revision", "0" * 40],
         f"The hub has no model 'tester/tiny-llama' at revision '{'0' * 40}'."),
        (["spam.csv", "--model", "tester/pickled"],
         "Model 'tester/pickled' has no weights in safetensors"),
        (["spam.csv", "--model", "tester/gated"],
         "Model 'tester/gated' wants its terms accepted on the hub, and a token (HF_TOKEN)."),
        (["spam.csv", "--model", "tester/cut"],
         "The download of model 'tester/cut' broke off"),
        (["spam.csv", "--model", "not an id"],
         "There is no model 'not an id': not a folder, a GGUF file, a hub id (owner/name), or one "
         "of smollm2-135m"),
        (["tester/none", "--model", MODEL],
         "There is no file 'tester/none', and the hub has no data set of that name."),
        (["tester/gated", "--model", MODEL],
         "Data set 'tester/gated' wants its terms accepted on the hub, and a token (HF_TOKEN)."),
        ([f"{DATASET}@validation", "--model", MODEL],
         "Data set 'tester/tiny-spam' cannot be loaded: Unknown split \"validation\""),
    ],
    ids=["model", "branch", "commit", "pickled", "gated", "broken off", "no id", "data set",
         "gated data set", "split"],
)  # fmt: skip
def test_what_cannot_be_had_ends_in_one_line(
    console: Console, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = console("train", *arguments, "--out", tmp_path / "run")
    assert result.error.startswith(f"Error: {message}")
    assert not (tmp_path / "run").exists()


def test_no_pickle_was_ever_asked_for(hub: Hub, console: Console, trained: Trained) -> None:
    """In whatever ran before this test, against whichever repository."""
    console("train", "spam.csv", "--model", "tester/pickled")
    asked = [request.path for request in hub.requests if "/resolve/" in request.path]
    assert asked
    assert not [path for path in asked if path.endswith((".bin", ".pt", ".msgpack", "tiny.py"))]


@pytest.fixture(scope="module")
def alone(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A process that has what was fetched for ``trained``, and no hub in reach."""
    folder = tmp_path_factory.mktemp("alone")
    with Console(hub_environment(CLOSED, trained.home), folder) as alone:
        yield alone


def test_predict_with_the_hub_gone(alone: Console, trained: Trained, console: Console) -> None:
    arguments = ("predict", trained.folder, "claim your prize", "--json")
    offline = alone(*arguments)
    assert offline.code == 0, offline.err
    assert offline.out == console(*arguments).out


def test_a_model_that_was_fetched_is_found_with_the_hub_gone(alone: Console) -> None:
    plan = alone("train", "sms-spam", "--model", MODEL, "--dry-run")
    assert plan.code == 0, plan.err


def test_a_model_that_was_not_fetched_with_the_hub_gone(alone: Console) -> None:
    assert alone("train", "sms-spam", "--model", "tester/planned").error == (
        f"Error: Model 'tester/planned' is not on this machine and the hub ({CLOSED}) cannot be "
        "reached. Give a folder or a GGUF file, or use --model smollm2-135m."
    )


def test_a_data_set_with_the_hub_gone(alone: Console, trained: Trained) -> None:
    """The message names a way out, and the way out is one."""
    error = alone("train", DATASET, "--model", MODEL, "--dry-run").error
    assert f"the hub ({CLOSED}) cannot be reached" in error
    assert "HF_HUB_OFFLINE=1 uses a copy that was downloaded before" in error
    code = (
        "from headtune.options import DataConfig\n"
        "from headtune.data import read_table\n"
        f"print(len(read_table({DATASET!r}, DataConfig())))"
    )
    environment = hub_environment(CLOSED, trained.home) | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "60\n", done.stderr
