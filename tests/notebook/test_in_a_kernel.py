"""A notebook, run by nbclient in a kernel of its own: what its cells show.

One kernel for all tests, since it imports torch anew. To look at what is shown, let pytest leave
the notebook in a folder (``--basetemp``) and make a page of it: ``jupyter nbconvert --to html``.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tests_support import TEXTS, TOPICS, write_table

CELLS = {
    "setup": """
import os, signal, threading, time
from pathlib import Path
from headtune import RunConfig, TextClassifier, train_run
from headtune.artifact import load, save
from headtune.inspection import inspect_table
from headtune.options import DataConfig
from headtune.training import Interruption

def verify(folder, options):
    return load.load_artifact(folder, options=options).probes

save.verify_in_fresh_process = verify
""",
    "fit": """
classifier = TextClassifier(MODEL, "last-1", max_steps=8, batch_size=8, learning_rate=5e-3)
classifier.fit(TEXTS, TOPICS)
""",
    "explain": 'classifier.explain("call to claim a free prize")',
    "print": 'print(classifier.explain("call to claim a free prize"))',
    "silence": "_ = TextClassifier(MODEL, max_steps=1, progress=False).fit(TEXTS, TOPICS)",
    "train": """
config = {"source": TABLE, "model": {"model": MODEL}, "train": {"max_steps": 8}}
train_run(RunConfig.from_dict(config), out=Path(OUT))
""",
    "inspect": "inspect_table(TABLE, DataConfig())",
    "interrupt": """
trained = threading.Event()
on_step_end = Interruption.on_step_end

def tell(self, *arguments, **named):
    on_step_end(self, *arguments, **named)
    trained.set()

def press():
    trained.wait()
    os.kill(os.getpid(), signal.SIGINT)

Interruption.on_step_end = tell
threading.Thread(target=press).start()
long = TextClassifier(MODEL, "head", epochs=10_000, batch_size=8).fit(TEXTS, TOPICS)
print(len(long.predict(TEXTS)), long.fitted_.result.n_steps < 50_000)
""",
}


@pytest.fixture(scope="module")
def shown(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Cell -> its outputs."""
    folder = tmp_path_factory.mktemp("notebook")
    given = {
        "MODEL": str(tiny_llama),
        "TABLE": str(write_table(folder / "messages.csv")),
        "OUT": str(folder / "run"),
        "TEXTS": TEXTS,
        "TOPICS": TOPICS,
    }
    names = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    sources = {**CELLS, "setup": names + CELLS["setup"]}
    cells = [nbformat.v4.new_code_cell(source) for source in sources.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    own = {"IPYTHONDIR": str(folder / "ipython"), "OMP_NUM_THREADS": "1"}
    manager = AsyncKernelManager(
        kernel_name="python3",
        transport="ipc",  # no port
        connection_file=str(folder / "kernel.json"),
        ip=str(folder / "ipc"),
    )
    client = NotebookClient(notebook, km=manager, timeout=120)
    asyncio.run(client.async_execute(env={**os.environ, **own}))
    nbformat.write(notebook, folder / "notebook.ipynb")
    return {name: cell.outputs for name, cell in zip(sources, notebook.cells, strict=True)}


def html_of(outputs: Sequence[Any]) -> list[str]:
    return [one["data"]["text/html"] for one in outputs if "text/html" in one.get("data", {})]


def streamed(outputs: Sequence[Any]) -> str:
    return "".join(one["text"] for one in outputs if one["output_type"] == "stream")


def test_libraries_say_nothing(shown: dict[str, list[Any]]) -> None:
    """Importing them may: tqdm asks for ipywidgets."""
    assert {name for name in shown if streamed(shown[name])} - {"setup"} == {"print", "interrupt"}


def test_fit_shows_a_bar_that_became_a_line_and_the_estimator(shown: dict[str, list[Any]]) -> None:
    bar, estimator = html_of(shown["fit"])
    assert bar.startswith('<details class="headtune-progress">')
    assert re.search(r"Done in .*Training: \d+ examples in .* loss \d", bar)
    assert "Loading the model" in bar
    assert "Scoring before training" not in bar
    assert "sk-top-container" in estimator
    assert "learning_rate" in estimator


def test_an_explanation_is_in_colour(shown: dict[str, list[Any]]) -> None:
    [html] = html_of(shown["explain"])
    assert html.count("rgba(") >= 6
    assert shown["explain"][0]["data"]["text/plain"] == streamed(shown["print"]).rstrip("\n")


def test_silence_is_silence(shown: dict[str, list[Any]]) -> None:
    assert shown["silence"] == []


def test_a_run_shows_a_bar_and_its_report(shown: dict[str, list[Any]]) -> None:
    bar, report = html_of(shown["train"])
    assert "Reading" in bar
    assert "<progress" not in bar
    assert 'class="headtune-fragment"' in report
    assert "After tuning" in report
    assert report.count("<svg") == 2
    assert shown["train"][-1]["data"]["text/plain"].startswith("On 40 test texts")


def test_an_inspection_shows_itself(shown: dict[str, list[Any]]) -> None:
    [html] = html_of(shown["inspect"])
    assert "What is odd" in html


def test_an_interrupted_fit_keeps_what_was_trained(shown: dict[str, list[Any]]) -> None:
    """Its warning is seen after a run, too: importing cleanlab silences those of a process."""
    said = streamed(shown["interrupt"])
    assert re.search(r"UserWarning: Interrupted: training ended at step \d+ of 50,000", said)
    assert "40 True\n" in said
    [bar] = html_of(shown["interrupt"])
    assert "What was trained is kept" in bar
