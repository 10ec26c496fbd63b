"""Kept states on disk: found again bit for bit, shared, bounded, and never half an entry."""

import errno
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from headtune.errors import ConfigError
from headtune.files.cache_folder import ABANDONED_SECONDS
from headtune.model import StateStore, TrunkIdentity, text_key
from headtune.model.frozen import kept_files as cache
from headtune.model.frozen import kept_states
from headtune.options.written import parse_size
from headtune.types import TokenizedExample

IDENTITY = TrunkIdentity(
    model="tiny",
    weights="0" * 64,
    depth="below block 2 of 2",
    attention="causal",
    pooling="",
    dtype="torch.float32",
    device="cpu",
    libraries="torch, transformers",
)
GB = 10**9
FORK = multiprocessing.get_context("fork")
"""A forked process need not import torch again."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))


def make_states(
    n: int, seed: int = 0, dtype: torch.dtype = torch.float32
) -> dict[bytes, torch.Tensor]:
    """Random states of ``n`` texts of 1 to 9 tokens."""
    generator = torch.Generator().manual_seed(seed)
    keys = [bytes([seed, number]) + bytes(14) for number in range(n)]
    lengths = torch.randint(1, 10, (n,), generator=generator).tolist()
    return {
        key: torch.randn(length, 8, generator=generator).to(dtype)
        for key, length in zip(keys, lengths, strict=True)
    }


def assert_same(found: dict[bytes, torch.Tensor], expected: dict[bytes, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for key, states in expected.items():
        assert found[key].dtype == states.dtype
        assert torch.equal(found[key], states)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_found_is_what_was_written(dtype: torch.dtype) -> None:
    states = make_states(20, dtype=dtype)
    assert StateStore(IDENTITY, GB).write(states)
    assert_same(StateStore(IDENTITY, GB).find(states), states)
    some = dict(list(states.items())[3:7])
    assert_same(StateStore(IDENTITY, GB).find([*some, b"unknown" + bytes(9)]), some)


def test_files_of_several_runs_are_one_store() -> None:
    one, two = make_states(5, seed=1), make_states(5, seed=2)
    store = StateStore(IDENTITY, GB)
    store.write(one)
    StateStore(replace(IDENTITY, model="another name"), GB).write(two)
    assert_same(store.find([*one, *two]), one | two)


@pytest.mark.parametrize(
    "change",
    ["weights", "depth", "attention", "pooling", "dtype", "device", "libraries"],
)
def test_states_of_another_trunk_are_not_found(change: str) -> None:
    states = make_states(3)
    StateStore(IDENTITY, GB).write(states)
    other = replace(IDENTITY, **{change: "other"})
    assert StateStore(other, GB).find(states) == {}


def test_a_text_is_its_token_ids() -> None:
    def key(*ids: int, row: int = 1, n_truncated: int = 0) -> bytes:
        return text_key(TokenizedExample(np.array(ids, dtype=np.int32), None, row, n_truncated))

    assert key(5, 6) == key(5, 6, row=9, n_truncated=3)
    assert len({key(5, 6), key(6, 5), key(5), key(5, 6, 0)}) == 4


def test_a_changed_byte_is_as_good_as_not_there() -> None:
    states = make_states(6)
    StateStore(IDENTITY, GB).write(states)
    (file,) = cache.kept_files()
    key, changed = list(states.items())[3]
    content = bytearray(file.path.read_bytes())
    content[content.index(changed.numpy().tobytes())] ^= 1
    file.path.write_bytes(content)
    found = StateStore(IDENTITY, GB).find(states)
    assert_same(found, {name: tensor for name, tensor in states.items() if name != key})
    assert cache.kept_files() == []  # the next run writes it anew


@pytest.mark.parametrize("n_bytes", [0, 5, 300])
def test_a_file_cut_short_is_as_good_as_not_there(n_bytes: int) -> None:
    states = make_states(6)
    StateStore(IDENTITY, GB).write(states)
    (file,) = cache.kept_files()
    os.truncate(file.path, n_bytes)
    assert StateStore(IDENTITY, GB).find(states) == {}
    assert cache.kept_files() == []


def test_the_least_recently_used_go_first() -> None:
    stores = [StateStore(replace(IDENTITY, weights=str(n)), GB) for n in range(4)]
    states = [make_states(50, seed=n) for n in range(4)]
    for n in range(3):
        stores[n].write(states[n])
        (file,) = cache.kept_files(stores[n].folder)
        os.utime(file.path, (n, n))
    size = cache.kept_files()[0].n_bytes
    stores[0].find(states[0])  # used now
    StateStore(stores[3].identity, int(3.5 * size)).write(states[3])
    kept = [bool(cache.kept_files(store.folder)) for store in stores]
    assert kept == [True, False, True, True]
    assert sum(file.n_bytes for file in cache.kept_files()) <= 3.5 * size


def test_evicted_states_stay_with_who_reads_them() -> None:
    states = make_states(50)
    StateStore(IDENTITY, GB).write(states)
    found = StateStore(IDENTITY, GB).find(states)
    cache.make_room(1, limit=1)
    assert cache.kept_files() == []
    assert_same(found, states)


def test_what_is_larger_than_the_limit_is_not_written() -> None:
    said: list[str] = []
    store = StateStore(IDENTITY, 100, said.append)
    assert not store.write(make_states(50))
    assert not store.write(make_states(50))
    assert cache.kept_files() == []
    assert len(said) == 1
    assert "more than the option cache_limit" in said[0]


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """The system refuses to write more, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_the_system_refuses_leaves_nothing_and_is_said_once() -> None:
    said: list[str] = []
    store = StateStore(IDENTITY, GB, said.append)
    with files_of_at_most(500):
        assert not store.write(make_states(50))
        assert not store.write(make_states(50))
    assert len(said) == 1
    assert "not kept on disk" in said[0]
    assert [path for path in cache.trunks_folder().rglob("*") if path.is_file()] == []


def test_a_full_disk_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    said: list[str] = []
    monkeypatch.setattr(os, "fsync", fsync)
    store = StateStore(IDENTITY, GB, said.append)
    assert not store.write(make_states(5))
    assert "No space left" in said[0]
    assert store.find(make_states(5)) == {}
    assert [path for path in cache.trunks_folder().rglob("*") if path.is_file()] == []


def test_half_of_the_free_disk_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("headtune.model.frozen.kept_states._free_bytes", lambda folder: 1000)
    assert not StateStore(IDENTITY, GB, said.append).write(make_states(50))
    assert "free" in said[0]


def write_and_hang(ready: Connection) -> None:
    """A writer that stops in the middle of a file."""

    def save_half(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
        save_file(tensors, path, metadata=metadata)
        os.truncate(path, 2000)
        ready.send(path)
        time.sleep(60)

    kept_states.save_file = save_half  # type: ignore[attr-defined,assignment]
    StateStore(IDENTITY, GB).write(make_states(100, seed=1))


def write_several(seeds: Sequence[int]) -> None:
    for seed in seeds:
        StateStore(IDENTITY, GB).write(make_states(100, seed=seed))


def test_a_killed_writer_leaves_nothing_that_is_read() -> None:
    here, there = FORK.Pipe()
    process = FORK.Process(target=write_and_hang, args=(there,))
    process.start()
    left = here.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert left.stat().st_size == 2000
    states = make_states(100, seed=1)
    store = StateStore(IDENTITY, GB)
    assert store.find(states) == {}
    assert cache.cached_trunks() == []
    store.write(states)
    assert left.exists()  # its writer might still be at work
    old = time.time() - 2 * ABANDONED_SECONDS
    os.utime(left, (old, old))
    store.write(make_states(1, seed=3))
    assert not left.exists()
    assert_same(store.find(states), states)


def test_several_writers_and_a_reader_at_once() -> None:
    seeds = range(1, 30)
    writers = [FORK.Process(target=write_several, args=(seeds,)) for _ in range(2)]
    for process in writers:
        process.start()
    states = {key: tensor for seed in seeds for key, tensor in make_states(100, seed=seed).items()}
    store = StateStore(IDENTITY, GB)
    while any(process.is_alive() for process in writers):
        for key, tensor in store.find(states).items():
            assert torch.equal(tensor, states[key])
    assert [process.exitcode for process in writers] == [0, 0]
    assert_same(store.find(states), states)


def test_listing_and_clearing() -> None:
    assert cache.cached_trunks() == []
    assert cache.clear_cache() == 0
    one, two = IDENTITY, replace(IDENTITY, depth="pooled", weights="1")
    StateStore(one, GB).write(make_states(5))
    StateStore(one, GB).write(make_states(6, seed=1))
    StateStore(two, GB).write(make_states(3))
    for file in cache.kept_files(cache.trunks_folder() / two.key):
        os.utime(file.path, (1, 1))
    first, last = cache.cached_trunks()
    assert (first.model, first.depth, first.n_texts) == ("tiny", "below block 2 of 2", 11)
    assert (last.depth, last.n_texts, last.last_used) == ("pooled", 3, 1.0)
    total = first.n_bytes + last.n_bytes
    assert cache.clear_cache() == total
    assert cache.kept_files() == []


def test_clearing_beside_another_process_that_evicts(monkeypatch: pytest.MonkeyPatch) -> None:
    StateStore(IDENTITY, GB).write(make_states(5))
    listed = [cache.trunks_folder() / "gone.safetensors", *cache.trunks_folder().rglob("*")]
    total = sum(path.stat().st_size for path in listed[1:] if path.is_file())
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: iter(listed))
    assert cache.clear_cache() == total
    assert not cache.trunks_folder().exists()


def test_a_file_says_of_which_model_it_is() -> None:
    StateStore(IDENTITY, GB).write(make_states(5))
    (file,) = cache.kept_files()
    with safe_open(file.path, framework="np") as opened:
        assert opened.metadata() == {
            "model": "tiny",
            "depth": "below block 2 of 2",
            "n_texts": "5",
        }


@pytest.mark.parametrize(
    ("size", "n_bytes"),
    [(0, 0), ("0", 0), (1500, 1500), ("20GB", 20 * GB), ("500 mb", 5 * 10**8), ("1.5k", 1500)],
)
def test_sizes(size: int | str, n_bytes: int) -> None:
    assert parse_size("cache_limit", size) == n_bytes


@pytest.mark.parametrize("size", ["", "much", "-1GB", -5, "5XB", "GB"])
def test_what_is_no_size(size: int | str) -> None:
    with pytest.raises(ConfigError, match="cache_limit="):
        parse_size("cache_limit", size)


def test_states_on_a_disk_that_is_only_read_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of their last use cannot be noted there: [Errno 30]."""
    states = make_states(3)
    assert StateStore(IDENTITY, GB, print).write(states)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("utime", "mkdir", "unlink", "replace"):
        monkeypatch.setattr(os, name, read_only)
    said: list[str] = []
    store = StateStore(IDENTITY, GB, said.append)
    assert store.find(states).keys() == states.keys()
    assert not store.write(make_states(2, seed=1))
    assert not store.write(make_states(2, seed=2))
    assert len(said) == 1
    assert said[0].startswith("Outputs of frozen layers are not kept on disk: [Errno 30]")
