"""A hub on localhost with a few small repositories, and headtune run against it for real.

What huggingface_hub and datasets read from the environment they read once, so everything here runs
in processes of its own: ``train_once`` trains through ``python -m headtune``; ``Console`` is one
process that several tests send their commands to.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from .server import Hub, Request, serve

MODEL = "tester/tiny-llama"
DATASET = "tester/tiny-spam"

FETCHED = {"config.json", "generation_config.json", "model.safetensors"} | {
    "tokenizer.json",
    "tokenizer_config.json",
}
"""What headtune needs of the model."""

NOT_FETCHED = {
    "README.md": b"# A model card",
    "consolidated.safetensors": b"the same weights for another program",
    "flax_model.msgpack": b"the same weights for another library",
    "modeling_tiny.py": b"raise SystemExit('code of a model was run')",
    "onnx/model.onnx": b"the same weights for another program",
    "pytorch_model.bin": b"a pickle",
    "training_args.pt": b"another pickle",
    "variants/model.safetensors": b"other weights",
}
"""What the repository holds besides."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a mistake ends in."""
        lines = self.err.strip().splitlines()
        assert self.code == 1, self.err
        assert "Traceback" not in self.err
        assert [line for line in lines if line.startswith("Error: ")] == lines[-1:], self.err
        return lines[-1]


@dataclass(frozen=True, slots=True)
class Trained:
    """The run that the tests share: its folder, what was said, and what the hub was asked."""

    folder: Path
    result: Result
    revision: str
    requests: tuple[Request, ...]
    home: Path


class Console:
    """A process that runs commands one after another; see console.py."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("console.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()  # it has nothing to save, and Python takes a while to leave
        self.process.communicate()

    def __call__(self, *arguments: object) -> Result:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self.process.stdin.flush()
        return Result(*json.loads(self.process.stdout.readline()))


def hub_environment(url: str, home: Path) -> dict[str, str]:
    """The environment of a process that knows one hub only, and starts with nothing from it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "HEADTUNE_"))
    }
    return inherited | {
        "HF_ENDPOINT": url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(home),
        "HEADTUNE_CACHE": str(home / "headtune"),
        "NO_PROXY": "127.0.0.1",
    }


def spam(rows: range) -> bytes:
    """A table of two kinds of texts, each text once."""
    kinds = (("see you at dinner number", "ham"), ("claim your prize number", "spam"))
    lines = [f"{kinds[row % 2][0]} {row},{kinds[row % 2][1]}" for row in rows]
    return "\n".join(["text,label", *lines, ""]).encode()


@pytest.fixture(scope="session")
def model_files(tiny_llama: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(tiny_llama.iterdir())}


@pytest.fixture(scope="session")
def hub(model_files: dict[str, bytes]) -> Iterator[Hub]:
    """The hub with its repositories, answering until the session ends."""
    hub = Hub()
    pickled = {name: data for name, data in model_files.items() if ".safetensors" not in name}
    hub.add(f"models/{MODEL}", model_files | NOT_FETCHED)
    hub.add("models/tester/planned", model_files)
    hub.add("models/tester/gated", model_files, gated=True)
    hub.add("models/tester/pickled", pickled | {"pytorch_model.bin": b"a pickle"})
    hub.add("models/tester/cut", model_files).cut_files.add("model.safetensors")
    hub.add(f"datasets/{DATASET}", {"train.csv": spam(range(48)), "test.csv": spam(range(50, 62))})
    hub.add("datasets/tester/gated", {"train.csv": spam(range(48))}, gated=True)
    with serve(hub):
        yield hub


@pytest.fixture(scope="session")
def trained(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One block of the model trained on the data set, both named by their ids."""
    folder = tmp_path_factory.mktemp("trained")
    home = folder / "home"
    revision = hub.repositories[f"models/{MODEL}"].branches["main"]
    n_before = len(hub.requests)
    arguments = ["train", DATASET, "--model", MODEL, "--tune", "last-1", "--max-steps", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "headtune", *arguments],
        cwd=folder,
        env=hub_environment(hub.url, home),
        capture_output=True,
        text=True,
        check=False,
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    requests = tuple(hub.requests[n_before:])
    return Trained(folder / "runs" / "tiny-spam", result, revision, requests, home)


@pytest.fixture(scope="session")
def console(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A process that has fetched nothing from the hub before."""
    folder = tmp_path_factory.mktemp("console")
    (folder / "spam.csv").write_bytes(spam(range(48)))
    with Console(hub_environment(hub.url, folder / "home"), folder) as console:
        yield console


@pytest.fixture
def asked(hub: Hub) -> Callable[[], list[Request]]:
    """Called, gives what the hub was asked since the test began."""
    n_before = len(hub.requests)
    return lambda: hub.requests[n_before:]
