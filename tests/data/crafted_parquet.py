"""Parquet files and Arrow tables that are made wrong, or of rare types: 250 cases by name."""

import io
import json
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

N_ROWS = 6
BIG = 2**63 - 1


def strings_of(*values: bytes | None, kind: pa.DataType | None = None) -> pa.Array:
    """A string array of any bytes, valid or not."""
    kind = kind or pa.string()
    same = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}[kind]
    binary = pa.array(values, same)
    return pa.Array.from_buffers(kind, len(binary), binary.buffers(), binary.null_count)


def _cycled(values: list[object], kind: pa.DataType) -> pa.Array:
    return pa.array([values[i % len(values)] for i in range(N_ROWS)], kind)


def _raw(values: list[int], kind: pa.DataType, bits: int = 64) -> pa.Array:
    """Numbers as a type of dates and times, whatever they mean there."""
    return _cycled(list(values), pa.int64() if bits == 64 else pa.int32()).view(kind)


def _stored(kind: pa.BaseExtensionType, values: list[object]) -> pa.Array:
    return pa.ExtensionArray.from_storage(kind, _cycled(values, kind.storage_type))


def _simple() -> Iterator[tuple[str, pa.Array]]:
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64()):
        yield str(kind), _cycled([0, 1, None], kind)
    for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        yield str(kind), _cycled([0, 1], kind)
    yield "uint64-extreme", _cycled([0, 2**64 - 1], pa.uint64())
    for kind in (pa.float16(), pa.float32(), pa.float64()):
        yield str(kind), _cycled([0.0, 1.0, float("nan"), float("inf"), None, -0.0], kind)
    for kind in (pa.decimal128(38, 5), pa.decimal256(60, 5)):
        yield str(kind), _cycled([1, 2], kind)
    yield "bool", _cycled([True, False, None], pa.bool_())
    yield "null", pa.nulls(N_ROWS)
    yield "binary", _cycled([b"ham", b"\xff\xfe", b"", None], pa.binary())
    yield "large-binary", _cycled([b"ham", b"\xff"], pa.large_binary())
    yield "fixed-binary", _cycled([b"\xff\xff", b"ab"], pa.binary(2))
    yield "binary-view", _cycled([b"\xff", b"ab", None], pa.binary_view())
    yield "string-view", _cycled(["ham", "spam"], pa.string_view())
    yield "large-string", _cycled(["ham", "spam"], pa.large_string())
    yield "interval", _cycled([(1, 2, 3), None], pa.month_day_nano_interval())


def _moments() -> Iterator[tuple[str, pa.Array]]:
    extremes = [0, BIG, -BIG, 253_402_300_800, 2**40]
    zones = (None, "UTC", "Europe/Paris", "Mars/Base", "../../x", "+25:00", "", "America")
    for unit in ("s", "ms", "us", "ns"):
        for zone in zones if unit == "us" else (None, "Mars/Base"):
            yield f"timestamp-{unit}-{zone}", _raw(extremes, pa.timestamp(unit, zone))
        yield f"duration-{unit}", _raw(extremes, pa.duration(unit))
    yield "date32", _raw([0, 2**31 - 1, -(2**31), 2_932_897], pa.date32(), 32)
    yield "date64", _raw([0, BIG, 1, 86_400_000], pa.date64())
    yield "time32", _raw([0, 2**31 - 1], pa.time32("s"), 32)
    yield "time64", _raw([0, BIG], pa.time64("ns"))


def _nested() -> Iterator[tuple[str, pa.Array]]:
    broken = strings_of(*[b"a\xff", b"ok"] * (N_ROWS // 2))
    far = _raw([0, BIG], pa.timestamp("s"))
    offsets = list(range(N_ROWS + 1))
    for name, values in (("ints", pa.array(range(N_ROWS))), ("broken", broken), ("far", far)):
        yield f"list-{name}", pa.ListArray.from_arrays(offsets, values)
        yield f"large-list-{name}", pa.LargeListArray.from_arrays(offsets, values)
        yield f"fixed-list-{name}", pa.FixedSizeListArray.from_arrays(values, 1)
        yield f"struct-{name}", pa.StructArray.from_arrays([values], ["a"])
        yield f"struct-twice-{name}", pa.StructArray.from_arrays([values, values], ["a", "a"])
        yield f"map-{name}", pa.MapArray.from_arrays(offsets, values, values)
        yield f"list-view-{name}", _list_view(values)
        yield f"dictionary-{name}", _dictionary(values)
        if name != "broken":  # which pyarrow refuses to make
            yield f"run-ends-{name}", pa.RunEndEncodedArray.from_arrays([3, 6], values[:2])
        yield f"union-{name}", _union(values)
    deep = pa.array(range(N_ROWS))
    for _ in range(60):
        deep = pa.ListArray.from_arrays(offsets, deep)
    yield "deep", deep
    yield "struct-empty", pa.array([{}] * N_ROWS, pa.struct([]))
    yield "list-null", pa.array([[None]] * N_ROWS)


def _list_view(values: pa.Array) -> pa.Array:
    return pa.ListViewArray.from_arrays(list(range(N_ROWS)), [1] * N_ROWS, values)


def _dictionary(values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1, None, 0]), values[:2])


def _union(values: pa.Array) -> pa.Array:
    return pa.UnionArray.from_sparse(pa.array([0] * N_ROWS, pa.int8()), [values])


def _extensions() -> Iterator[tuple[str, pa.Array]]:
    yield "arrow.json", _stored(pa.json_(), ['{"a": 1}', "[]", None])
    yield "arrow.uuid", _stored(pa.uuid(), [b"0" * 16, b"\xff" * 16, None])
    yield "arrow.bool8", _stored(pa.bool8(), [0, 1, 5, None])
    yield "arrow.opaque", _stored(pa.opaque(pa.binary(), "kind", "vendor"), [b"\xff", None])
    yield "arrow.tensor", _stored(pa.fixed_shape_tensor(pa.int32(), [2]), [[1, 2], [3, 4]])
    broken = strings_of(*[b'{"\xff": 1}', b"{}"] * (N_ROWS // 2))
    yield "arrow.json-broken", pa.ExtensionArray.from_storage(pa.json_(), broken)


def _not_utf8() -> Iterator[tuple[str, pa.Array]]:
    for kind in (pa.string(), pa.large_string()):
        for name, bad in (
            ("byte", b"caf\xe9 du coin"),
            ("cut", b"caf\xc3"),
            ("surrogate", b"a\xed\xa0\x80b"),
            ("all", b"\xff" * 9),
        ):
            good = b"a text of some words"
            yield f"{kind}-{name}", strings_of(bad, good, None, good, bad, good, kind=kind)
    yield "string-all-broken", strings_of(*[b"\xff\xfe"] * N_ROWS)


def arrays() -> dict[str, pa.Array]:
    """Columns of ``N_ROWS`` of every type, by name."""
    return {
        name: array
        for cases in (_simple(), _moments(), _nested(), _extensions(), _not_utf8())
        for name, array in cases
    }


TEXTS = pa.array([f"a text of several words, number {i}" for i in range(N_ROWS)])
LABELS = pa.array(["ham", "spam"] * (N_ROWS // 2))


def tables_of(array: pa.Array) -> dict[str, pa.Table]:
    """A column as the text, the label, and as one that is neither."""
    return {
        "text": pa.table({"text": array, "label": LABELS}),
        "label": pa.table({"text": TEXTS, "label": array}),
        "other": pa.table({"text": TEXTS, "label": LABELS, "other": array}),
    }


def described(metadata: bytes) -> pa.Table:
    """A table whose schema carries this as Hugging Face metadata."""
    table = pa.table({"text": TEXTS, "label": pa.array([0, 1, 2, -1, 0, 1])})
    return table.replace_schema_metadata({b"huggingface": metadata})


def _features(features: object) -> bytes:
    return json.dumps({"info": {"features": features}}).encode()


def _class_label(names: object) -> bytes:
    return _features({"label": {"_type": "ClassLabel", "names": names}})


def metadata() -> dict[str, bytes]:
    """Hugging Face metadata that is wrong in one way each."""
    return {
        "right": _class_label(["a", "b", "c"]),
        "no-json": b"no JSON",
        "empty": b"",
        "list": b"[]",
        "null": b"null",
        "number": b"17",
        "not-utf8": b'{"info": "\xff"}',
        "digits": b"9" * 5_000,
        "deep-lists": b"[" * 100_000,
        "deep-objects": b'{"info":' * 100_000,
        "info-list": b'{"info": []}',
        "info-null": b'{"info": null}',
        "features-list": _features([1]),
        "features-null": _features(None),
        "feature-null": _features({"label": None}),
        "missing-column": _features({"x": {"_type": "ClassLabel", "names": ["a"]}}),
        "text-column": _features({"text": {"_type": "ClassLabel", "names": ["a"]}}),
        "surrogate-column": _features({"\ud800": {"_type": "ClassLabel", "names": ["a"]}}),
        "few-names": _class_label(["a"]),
        "no-names": _class_label([]),
        "names-null": _class_label(None),
        "names-number": _class_label(3),
        "names-string": _class_label("abc"),
        "names-object": _class_label({"a": 1}),
        "names-mixed": _class_label(["a", 1, None]),
        "names-nested": _class_label([["a"], ["b"], ["c"]]),
        "names-surrogate": _class_label(["a", "\ud800", "b"]),
        "names-twice": _class_label(["a", "a", "a"]),
    }


def shapes() -> dict[str, pa.Table]:
    """Tables that are odd by their columns or rows."""
    usual = pa.table({"text": TEXTS, "label": LABELS})
    names = [f"c{i}" for i in range(400)]
    return {
        "usual": usual,
        "no-rows": usual[:0],
        "no-columns": pa.table({}),
        "two-of-one-name": pa.table([TEXTS, LABELS, LABELS], names=["text", "label", "label"]),
        "empty-names": pa.table([TEXTS, LABELS], names=["", " "]),
        "wide": pa.table([TEXTS, LABELS, *[LABELS] * 400], names=["text", "label", *names]),
        "odd-names": pa.table([TEXTS, LABELS], names=["te\nxt\0", "\x1b[2J"]),
    }


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    """A table as a Parquet file. Raises what pyarrow raises where Parquet has no such type."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def broken_files() -> dict[str, bytes]:
    """Files that are cut short, or whose bytes are wrong in a place that matters."""
    usual = parquet_bytes(pa.table({"text": TEXTS, "label": LABELS}), row_group_size=1)
    changes: dict[str, Callable[[bytearray], object]] = {
        "end-magic": lambda data: data.__setitem__(slice(-4, None), b"XXXX"),
        "footer-length": lambda data: data.__setitem__(slice(-8, -4), b"\xff\xff\xff\x7f"),
        "footer-zero": lambda data: data.__setitem__(slice(-8, -4), b"\0\0\0\0"),
        "footer": lambda data: data.__setitem__(slice(-200, -100), b"\xff" * 100),
        "pages": lambda data: data.__setitem__(slice(4, 200), b"\0" * 196),
        "column-name": lambda data: data.__setitem__(slice(-400, -8), _renamed(data[-400:-8])),
    }
    files = {"magic-alone": b"PAR1", "magic-twice": b"PAR1PAR1", "small": b"PAR1\0\0\0\0PAR1"}
    for name, change in changes.items():
        data = bytearray(usual)
        change(data)
        files[name] = bytes(data)
    for share in (0.1, 0.5, 0.9, 0.99):
        files[f"cut-{share}"] = usual[: int(len(usual) * share)]
    return files


def _renamed(footer: bytearray) -> bytes:
    return bytes(footer).replace(b"label", b"lab\xff\xff")
