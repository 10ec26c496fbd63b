"""A forked child computes as its parent does: no hang, the same answers."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from headtune import TextClassifier
from headtune.errors import ModelError
from headtune.model import SequenceClassifier, choose_compute, load_backbone, predict_logits
from headtune.model.hardware import forks
from headtune.model.hardware.compute import Compute
from headtune.model.one_pass import one_pass
from headtune.options import MachineConfig, ModelConfig
from headtune.pretrained import find_pretrained
from headtune.tokens import encode_texts, load_tokenizer
from headtune.types import TokenizedExample
from tests_support import TEXTS, in_forked_child

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")
PATIENCE_SECONDS = 60
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP, found as Linux does")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """More than one: with one there is nothing that a child could wait for."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def make_classifier(folder: Path) -> SequenceClassifier:
    """Tries whether the architecture packs, which starts OpenMP's threads."""
    options = ModelConfig(model=str(folder))
    backbone = load_backbone(find_pretrained(str(folder)), options, MachineConfig(), CPU)
    return SequenceClassifier(backbone, 3, seed=1).eval()


def make_examples() -> list[TokenizedExample]:
    """Enough tokens for all threads."""
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(rng.integers(2, 300, 40).astype(np.int32), None, row) for row in range(99)
    ]


def answer(classifier: SequenceClassifier) -> npt.NDArray[np.float32]:
    return predict_logits(classifier, make_examples(), 2_000)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_children_answer_as_their_parent_does(n_threads: int, tiny_llama: Path) -> None:
    """After a load and after predictions; parent and child both go on with all threads."""
    torch.set_num_threads(n_threads)
    expected = answer(make_classifier(tiny_llama))
    classifier = make_classifier(tiny_llama)
    for _ in range(3):
        np.testing.assert_array_equal(in_forked_child(lambda: answer(classifier)), expected)
        np.testing.assert_array_equal(answer(classifier), expected)
    assert in_forked_child(torch.get_num_threads) == n_threads


def test_a_child_of_a_child(tiny_llama: Path) -> None:
    classifier = make_classifier(tiny_llama)

    def grandchild() -> npt.NDArray[np.float32]:
        answer(classifier)
        found: npt.NDArray[np.float32] = in_forked_child(lambda: answer(classifier))
        return found

    np.testing.assert_array_equal(in_forked_child(grandchild), answer(classifier))


def test_while_another_thread_predicts(tiny_llama: Path) -> None:
    """A fork waits for a pass to end, so no child has a model halfway through one."""
    classifier, stop = make_classifier(tiny_llama), threading.Event()
    expected = answer(classifier)

    def again() -> None:
        while not stop.is_set():
            np.testing.assert_array_equal(answer(classifier), expected)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        for _ in range(3):
            np.testing.assert_array_equal(in_forked_child(lambda: answer(classifier)), expected)
    finally:
        stop.set()
        thread.join()


def test_a_model_halfway_through_a_pass_is_refused(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that takes too long is forked into; other models answer."""
    monkeypatch.setattr(forks, "PATIENCE_SECONDS", 0.05)
    busy, idle = make_classifier(tiny_llama), make_classifier(tiny_llama)
    expected = answer(idle)
    within, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with one_pass(busy.backbone):
            within.set()
            go_on.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        within.wait(PATIENCE_SECONDS)
        refusal = in_forked_child(lambda: answer(busy))
        found = in_forked_child(lambda: answer(idle))
    finally:
        go_on.set()
        thread.join()
    assert "ModelError: This process was forked while another thread was in a pass" in refusal
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(answer(busy), expected)


def test_texts_are_encoded_in_a_child(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where a user has asked for the tokenizers library's threads, which a child lacks."""
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    tokenizer = load_tokenizer(find_pretrained(str(tiny_llama)))

    def ids() -> list[list[int]]:
        return [example.input_ids.tolist() for example in encode_texts(TEXTS, tokenizer, 50)]

    expected = ids()
    assert in_forked_child(ids) == expected
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"


def test_scikit_learn_has_an_openmp_of_its_own() -> None:
    x = np.random.default_rng(0).normal(size=(400, 5))

    def fit() -> float:
        model = HistGradientBoostingClassifier(max_iter=3).fit(x, x[:, 0] > 0)
        return float(model.score(x, x[:, 0] > 0))

    assert in_forked_child(fit) == fit()


@ON_LINUX
def test_one_thread_where_openmp_s_cannot_be_ended(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right, and slow."""
    classifier = make_classifier(tiny_llama)
    expected = answer(classifier)
    monkeypatch.setattr(forks, "_gnu_openmp", lambda: {"/nowhere/libgomp.so.1"})
    n_threads, found = in_forked_child(lambda: (torch.get_num_threads(), answer(classifier)))
    assert n_threads == 1
    np.testing.assert_allclose(found, expected, atol=1e-5)


FORK_IN_C = """
import ctypes, os, sys, numpy as np, torch
from headtune import Predictor

torch.set_num_threads(2)
predictor = Predictor.load(sys.argv[1])
texts = [f"{n} people were told to stay in their houses" for n in range(99)]
expected = predictor.predict_proba(texts)
child = int(ctypes.pythonapi.fork())
if child == 0:
    ctypes.pythonapi.PyOS_AfterFork_Child()
    same = np.allclose(predictor.predict_proba(texts), expected, atol=1e-5)
    os._exit(0 if same and torch.get_num_threads() == 1 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@ON_LINUX
def test_a_fork_in_c_which_only_the_child_hears_of(tiny_llama: Path, tmp_path: Path) -> None:
    """As uWSGI does; in a process of its own, whose threads are ours alone."""
    texts, labels = TEXTS[:8], ["a", "b"] * 4
    run = TextClassifier(str(tiny_llama), "head", max_steps=1).fit(texts, labels)
    command = [sys.executable, "-c", FORK_IN_C, str(run.save(tmp_path / "run"))]
    subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)


def test_a_gpu_of_the_parent_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)

    def refused() -> tuple[str, str]:
        with pytest.raises(ModelError, match="forked from one that had used the GPU") as caught:
            choose_compute(MachineConfig(device="cuda"))
        forks.require_gpu_of_this_process(torch.device("cpu"))
        return str(caught.value), caught.value.way_out or ""

    text, way_out = in_forked_child(refused)
    assert "\n" not in text
    assert "spawn" in way_out
    forks.require_gpu_of_this_process(torch.device("cuda"))  # the parent goes on


def test_a_fork_imports_nothing() -> None:
    code = """
import os, sys, headtune
child = os.fork()
if child == 0:
    os._exit("torch" in sys.modules)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_SECONDS)
