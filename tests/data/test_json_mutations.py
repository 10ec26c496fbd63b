"""JSON of every shape with bytes gone, doubled or put in: our own errors, or a right read."""

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtune.data import find_columns, read_table, usable_rows
from headtune.data.reading.json.tables import json_tables
from headtune.data.reading.readers import read_parts
from headtune.errors import HeadtuneError
from headtune.options import DataConfig

AUTO = DataConfig()
TEXTS = [f"{'see you' if i % 2 else 'win money'} number {i}" for i in range(12)]
LABELS = ["ham" if i % 2 else "spam" for i in range(12)]
PAIRS = [list(pair) for pair in zip(TEXTS, LABELS, strict=True)]
RECORDS = [{"text": t, "label": x} for t, x in PAIRS]
TASKS = [
    {"data": {"text": t}, "annotations": [{"result": [{"value": {"choices": [x]}}]}]}
    for t, x in PAIRS
]
CHATS = [
    {"messages": [{"role": "user", "content": t}, {"role": "assistant", "content": x}]}
    for t, x in PAIRS
]

FILES = {
    "records.json": json.dumps(RECORDS),
    "pairs.json": json.dumps(PAIRS),
    "parts.json": json.dumps({"train": RECORDS, "test": PAIRS}),
    "below.json": json.dumps({"meta": {"n": 1}, "data": {"items": RECORDS}}),
    "keys.json": json.dumps({"a": RECORDS[0], "b": RECORDS[1], "c": RECORDS[2]}),
    "labels.json": json.dumps(dict(PAIRS)),
    "split.json": json.dumps({"columns": ["text", "label"], "data": PAIRS}),
    "pretty.json": "\n".join(json.dumps(record, indent=1) for record in RECORDS),
    "arrays.jsonl": "\n".join(map(json.dumps, PAIRS)),
    "tasks.jsonl": "\n".join(map(json.dumps, TASKS)),
    "chats.jsonl": "\n".join(map(json.dumps, CHATS)),
}
PIECES = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"NaN", b"1e999", b"9" * 99, b"\0",
          b"\\ud800", b"\xff", b"\n", b'"train":', b"[]", b'{"a":']  # fmt: skip


def mutated(data: bytes, seed: int) -> bytes:
    rng, changed = random.Random(seed), bytearray(data)
    for _ in range(rng.choice([1, 2, 8])):
        i = rng.randrange(len(changed) + 1)
        size = rng.choice([0, 1, 20, 300])
        piece = rng.choice(PIECES) * rng.choice([1, 1, 200])
        changed[i : i + size] = rng.choice([b"", piece, changed[:size]])
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_a_mutated_file_ends_in_a_line_or_a_right_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for seed in range(40):
        path.write_bytes(mutated(FILES[name].encode(), seed))
        begin = time.process_time()
        try:
            table = read_table(path, AUTO)
            usable = usable_rows(table, find_columns(table, AUTO), AUTO)
            assert len(usable.texts) + len(usable.set_aside) == len(table) + len(table.set_aside)
        except HeadtuneError as error:
            lines = str(error).splitlines()
            assert len(lines) == 1
        assert time.process_time() - begin < 2


writable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@settings(max_examples=25, deadline=None)
@given(st.lists(writable, min_size=4, max_size=12, unique=True))
def test_all_shapes_give_the_same_examples(texts: list[str]) -> None:
    """Whatever the characters: records, arrays, columns, parts, keys, chats, below a key."""
    pairs = [[text, "xy"[i % 2]] for i, text in enumerate(texts)]
    records = [{"text": text, "label": label} for text, label in pairs]
    shapes: list[object] = [
        records,
        [["text", "label"], *pairs],
        {"text": texts, "label": [label for _, label in pairs]},
        {"columns": ["text", "label"], "data": pairs},
        {str(i): record for i, record in enumerate(records)},
        {"a": {"b": records}},
        [{"d": record} for record in records],
        [{"m": [{"from": "human", "value": t}, {"from": "gpt", "value": x}]} for t, x in pairs],
    ]
    for shape in shapes:
        (table,) = json_tables(json.dumps(shape), "a.json", AUTO).values()
        usable = usable_rows(table, find_columns(table, AUTO), AUTO)
        assert [list(pair) for pair in zip(usable.texts, usable.labels, strict=True)] == pairs


def test_parts_that_are_written_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    path.write_text(FILES["parts.json"])
    assert [len(table) for table in read_parts(path, AUTO).values()] == [12, 12]
