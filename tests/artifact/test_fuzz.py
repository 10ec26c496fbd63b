"""Manifests and weight headers, mutated ten thousand times: an error of our own, or a right load.

The mutations are seeded, so a failure comes again; its number is in the message. Manifests are
sealed anew after most mutations, so that what lies behind the seal is reached.
"""

import copy
import json
import random
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from headtune import TextClassifier
from headtune.artifact import load_artifact
from headtune.artifact.manifest import Manifest, seal_of
from headtune.artifact.tensor_file import read_tensors
from headtune.errors import ArtifactError, ArtifactFormatError, HeadtuneError
from headtune.files.strict_json import MAX_BYTES, read_strict_json
from tests_support import TEXTS, TOPICS

N_MANIFESTS = 2_000
N_MANIFEST_BYTES = 1_250
N_HEADERS = 1_500
N_HEADER_BYTES = 1_250

STRANGE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**39, 0.5, -1e308, "", "x", "../x", "/etc/passwd",
    "last-99999999", "a" * 300, "\u202e", "\ud800", "\x00", [], {}, [[]], {"": {}}, ["a", "a"],
    [1, 2], {"a": 1}, "F32", "BF16", [0, 0], [2**62, 2**62], ["a"] * 100,
]  # fmt: skip
"""Values that some reader somewhere stumbles over."""

MATTERS = ("labels", "base_model", "tune", "pooling", "attention", "max_length", "packs", "files")
"""Keys that decide what a load gives."""


@pytest.fixture(scope="module")
def run(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    classifier = TextClassifier(str(tiny_llama), "head", max_steps=2).fit(TEXTS, TOPICS)
    return classifier.save(tmp_path_factory.mktemp("fuzz") / "run")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its keys or indices."""
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from places(value[index])


def mutate(value: Any, chance: random.Random) -> None:
    """One change somewhere in a value: dropped, replaced, doubled, exchanged, or added to."""
    container, key = chance.choice(list(places(value)))
    kind = chance.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1:
        container[key] = copy.deepcopy(chance.choice(STRANGE))
    elif kind == 2:
        other, place = chance.choice(list(places(value)))
        container[key] = copy.deepcopy(other[place])
    elif kind == 3 and isinstance(container, dict):
        container[chance.choice(["x", "../x", "seal", "files", ""])] = container[key]
    elif isinstance(container[key], int) and not isinstance(container[key], bool):
        container[key] += chance.choice([-1, 1, 2**20, 10**12])
    else:
        container[key] = [container[key], container[key]]


def flip(content: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, a piece cut out or repeated, or the end cut off."""
    changed = bytearray(content)
    start = chance.randrange(len(changed))
    length = chance.randrange(1, 9)
    match chance.randrange(4):
        case 0:
            for place in range(start, min(start + length, len(changed))):
                changed[place] = chance.randrange(256)
        case 1:
            del changed[start : start + length]
        case 2:
            changed[start:start] = changed[start : start + length]
        case _:
            del changed[start:]
    return bytes(changed)


def check_load(folder: Path, original: dict[str, Any], number: int) -> bool:
    """Whether the manifest was read; raises what is no error of ours."""
    try:
        manifest = Manifest.load(folder)
    except ArtifactError:
        return False
    except Exception as error:
        raise AssertionError(f"mutation {number} ends in {type(error).__name__}") from error
    values = json.loads((folder / "headtune.json").read_text())
    if any(values.get(key) != original[key] for key in MATTERS):
        try:
            assert load_artifact(folder).probes.n_changed_labels == 0
        except HeadtuneError:
            return False
        except Exception as error:
            raise AssertionError(f"mutation {number} ends in {type(error).__name__}") from error
    assert tuple(original["labels"]) == manifest.labels
    return True


def test_mutated_manifests(run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    original = json.loads((run / "headtune.json").read_text())
    chance, n_read = random.Random(1), 0
    for number in range(N_MANIFESTS):
        values = copy.deepcopy(original)
        for _ in range(chance.choice([1, 1, 2, 4])):
            mutate(values, chance)
        if chance.random() < 0.9:
            try:
                values["seal"] = seal_of(values)
            except UnicodeEncodeError:
                values["seal"] = ""
        (folder / "headtune.json").write_text(json.dumps(values))
        n_read += check_load(folder, original, number)
    assert 0 < n_read < N_MANIFESTS


def test_manifests_with_mutated_bytes(run: Path, tmp_path: Path) -> None:
    content = (run / "headtune.json").read_bytes()
    original = json.loads(content)
    chance = random.Random(2)
    (tmp_path / "run").mkdir()
    for number in range(N_MANIFEST_BYTES):
        (tmp_path / "run" / "headtune.json").write_bytes(flip(content, chance))
        check_load(tmp_path / "run", original, number)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("weights") / "trained.safetensors"
    tensors = {
        "score.weight": torch.arange(8.0).view(2, 4),
        "norm.weight": torch.ones(4),
        "index": torch.arange(3),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    return path.read_bytes()


def check_tensors(path: Path, content: bytes, number: int) -> bool:
    path.write_bytes(content)
    try:
        tensors = read_tensors(path)
    except ArtifactFormatError:
        return False
    except Exception as error:
        raise AssertionError(f"mutation {number} ends in {type(error).__name__}") from error
    n_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    assert n_bytes <= len(content)
    return True


def test_mutated_headers(weights: bytes, tmp_path: Path) -> None:
    (length,) = struct.unpack("<Q", weights[:8])
    header, data = json.loads(weights[8 : 8 + length]), weights[8 + length :]
    chance, n_read = random.Random(3), 0
    for number in range(N_HEADERS):
        values = copy.deepcopy(header)
        for _ in range(chance.choice([1, 1, 2, 4])):
            mutate(values, chance)
            values = values or copy.deepcopy(header)
        text = json.dumps(values).encode()
        size = len(text) if chance.random() < 0.8 else chance.choice([0, 1, 2**40, 2**64 - 1])
        content = struct.pack("<Q", size) + text + data
        n_read += check_tensors(tmp_path / "trained.safetensors", content, number)
    assert 0 < n_read < N_HEADERS / 2


def test_weight_files_with_mutated_bytes(weights: bytes, tmp_path: Path) -> None:
    chance = random.Random(4)
    for number in range(N_HEADER_BYTES):
        check_tensors(tmp_path / "trained.safetensors", flip(weights, chance), number)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "levels deep"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "levels deep"),
        ("1" * 1_000_000, "digits"),
        ('{"a": NaN}', "NaN"),
        ("-Infinity", "Infinity"),
        ("1e999", "out of range"),
        ('{"labels": 1, "labels": 2}', "'labels' occurs twice"),
        ('"\\ud800"', "surrogates"),
        ('"\\u0000"', "NUL"),
        ("", "Expecting value"),
        ("{} {}", "Extra data"),
        (" " * (MAX_BYTES + 1), "larger than"),
    ],
    ids=range(12),
)  # fmt: skip
def test_json_that_is_a_trap(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "headtune.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=reason):
        read_strict_json(path)
    with pytest.raises(ArtifactFormatError, match=r"headtune\.json is not JSON"):
        Manifest.load(tmp_path)


def entry(dtype: str = "F32", shape: Any = (2,), begin: int = 0, end: int = 8) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"a": entry(), "b": entry()}, "gap, or overlaps"),
        ({"a": entry(), "b": entry(begin=4, end=12)}, "gap, or overlaps"),
        ({"a": entry(begin=4, end=12)}, "gap, or overlaps"),
        ({"a": entry()}, "expected 8"),
        ({"a": entry(dtype="F8_E4M3", end=2)}, "unknown dtype"),
        ({"a": entry(dtype="object")}, "unknown dtype"),
        ({"a": entry(shape=[3])}, "another number of bytes"),
        ({"a": entry(shape=[2**40, 2**40])}, "another number of bytes"),
        ({"a": entry(shape=[-2])}, "list of counts"),
        ({"a": entry(shape=[True, True])}, "list of counts"),
        ({"a": entry(begin=-8, end=0)}, "list of counts"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "lacks"),
        ([], "no object"),
        ({"__metadata__": {"a": 1}}, "metadata"),
    ],
    ids=range(14),
)
def test_headers_that_lie(tmp_path: Path, header: Any, reason: str) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "trained.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(16))
    with pytest.raises(ArtifactFormatError, match=reason):
        read_tensors(path)
