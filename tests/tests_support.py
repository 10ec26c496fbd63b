"""What several test files share: forty short texts on two topics, a table, examples with states."""

from __future__ import annotations

import csv
import itertools
import json
import os
import pickle
import select
import signal
import subprocess
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtune.progress import SilentProgress

if TYPE_CHECKING:
    from headtune.batches import KeptExample
    from headtune.model import FrozenTrunk, StateStore
    from headtune.types import TokenizedExample

TEXTS = [f"{start} {n}" for n in range(10) for start in ("win a free prize", "call to claim cash")]
TEXTS += [f"{start} {n}" for n in range(10) for start in ("see you at dinner", "home for tea")]
TOPICS = ["prize"] * 20 + ["dinner"] * 20


class Heard(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def write_table(path: Path, more: Sequence[tuple[str, str]] = ()) -> Path:
    """A CSV file of 200 rows, each text five times with another number behind it, and ``more``."""
    rows = [
        (f"{text} {n}", topic) for n in range(5) for text, topic in zip(TEXTS, TOPICS, strict=True)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "topic"), *rows, *more])
    return path


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``history.jsonl``."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look every 10 ms until it holds, at most four minutes; the process must not end before."""
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_forked_child(work: Callable[[], Any], fork: Callable[[], int] = os.fork) -> Any:
    """What ``work`` gives in a forked child, or the text of what it raised.

    One that hangs is killed after a minute, and fails the test.
    """
    out, into = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: "is multi-threaded"
        child = fork()
    if child == 0:
        try:
            answer = work()
        except BaseException:  # noqa: BLE001 (it would go on as a second pytest)
            answer = traceback.format_exc()
        try:
            os.write(into, pickle.dumps(answer))  # less than a pipe holds
        finally:
            os._exit(0)
    os.close(into)
    has_answered = bool(select.select([out], [], [], 60)[0])
    if not has_answered:
        os.kill(child, signal.SIGKILL)
    data = os.read(out, 1 << 16) if has_answered else b""
    os.close(out)
    os.waitpid(child, 0)
    assert has_answered, "the child hangs"
    return pickle.loads(data)  # noqa: S301 (by our own child)


def keep_states(
    trunk: FrozenTrunk, examples: Sequence[TokenizedExample], store: StateStore | None = None
) -> list[KeptExample]:
    """The examples with what the trunk makes of them."""
    from headtune.model import Keeper

    kept = Keeper(trunk, max_tokens_per_batch=100, store=store).keep(examples)
    assert kept is not None
    return kept.examples


def make_gguf(path: Path) -> Path:
    """A one-layer Llama of float32, written with the gguf library, tokenizer included."""
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    hidden, inner, heads, words = 32, 48, 4, 40
    writer.add_name("tiny")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(hidden // heads)
    writer.add_vocab_size(words)
    writer.add_tokenizer_model("gpt2")
    letters = [chr(ord("a") + n) for n in range(26)]
    pairs = list(itertools.pairwise(letters[:13]))
    writer.add_token_list(["<|end|>", "<|begin|>", *letters, *map("".join, pairs)])
    writer.add_token_merges([" ".join(pair) for pair in pairs])
    writer.add_eos_token_id(0)
    writer.add_bos_token_id(1)
    rng = np.random.default_rng(0)
    shapes = {
        "token_embd.weight": (words, hidden),
        "output_norm.weight": (hidden,),
        "output.weight": (words, hidden),
        "blk.0.attn_norm.weight": (hidden,),
        "blk.0.ffn_norm.weight": (hidden,),
        "blk.0.attn_q.weight": (hidden, hidden),
        "blk.0.attn_k.weight": (hidden, hidden),
        "blk.0.attn_v.weight": (hidden, hidden),
        "blk.0.attn_output.weight": (hidden, hidden),
        "blk.0.ffn_gate.weight": (inner, hidden),
        "blk.0.ffn_up.weight": (inner, hidden),
        "blk.0.ffn_down.weight": (hidden, inner),
    }
    for name, shape in shapes.items():
        writer.add_tensor(name, rng.standard_normal(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
