"""Folders as tables: a folder a label, parts, a text a line, labels beside, saved data sets."""

import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import datasets
import pytest

from headtune.data import Table, iter_tables, read_table
from headtune.data.parts.parts import read_given_parts
from headtune.data.prepare import prepare
from headtune.data.reading.readers import read_parts
from headtune.errors import ColumnError, DataError
from headtune.options import DataConfig

AUTO = DataConfig()
Files = Mapping[str, str]


def written(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8", newline="")
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{folder.name}/{file.relative_to(folder)}")
        archive.writestr(f"__MACOSX/{folder.name}/._a.txt", "\0")
    return path


def rows(table: Table, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(table.columns[name].to_pylist() for name in names), strict=True))


LINES = {"pos": "good one\nfine, really\n", "neg": "bad one\r\nworse\r\n\r\n"}
OF_LINES = [
    ("good one", "pos"),
    ("fine, really", "pos"),
    ("bad one", "neg"),
    ("worse", "neg"),
]
CSV = "text,label\n"
FORMS: dict[str, tuple[Files, dict[str, list[tuple[str, str]]]]] = {
    "a folder a label": (
        {"ham/1.txt": "hello\nyou", "ham/2.txt": "home", "spam/1.txt": "win, now\r\n"},
        {"train": [("hello\nyou", "ham"), ("home", "ham"), ("win, now\r\n", "spam")]},
    ),
    "without suffixes, as 20 newsgroups": (
        {"rec.autos/101": "car", "sci.space/102": "moon", "sci.space/99": "star"},
        {"train": [("car", "rec.autos"), ("moon", "sci.space"), ("star", "sci.space")]},
    ),
    "parts above labels, as IMDB": (
        {
            "train/pos/0_9.txt": "good",
            "train/neg/0_1.txt": "bad",
            "train/unsup/0_0.txt": "who knows",
            "train/urls_pos.txt": "http://a",
            "test/pos/0_8.txt": "fine",
            "test/neg/0_2.txt": "awful",
            "README": "about",
            "imdb.vocab": "the\na",
        },
        {"train": [("bad", "neg"), ("good", "pos")], "test": [("awful", "neg"), ("fine", "pos")]},
    ),
    "parts below labels": (
        {"pos/train/1": "good", "pos/dev/1": "fine", "neg/train/1": "bad", "neg/dev/1": "awful"},
        {
            "train": [("bad", "neg"), ("good", "pos")],
            "validation": [("awful", "neg"), ("fine", "pos")],
        },
    ),
    "labels in labels": (
        {"sport/hockey/1": "puck", "sport/chess/1": "pawn", "news/world/1": "war", "news/1": "new"},
        {
            "train": [
                ("new", "news"),
                ("war", "news/world"),
                ("pawn", "sport/chess"),
                ("puck", "sport/hockey"),
            ]
        },
    ),
    "batches above labels, as Enron": (
        {f"enron{i}/{label}/1.txt": f"{label} {i}" for i in (1, 2) for label in ("ham", "spam")},
        {"train": [("ham 1", "ham"), ("spam 1", "spam"), ("ham 2", "ham"), ("spam 2", "spam")]},
    ),
    "folds below labels": (
        {f"{label}/fold{i}/1.txt": f"{label} {i}" for i in (1, 2) for label in ("ham", "spam")},
        {"train": [("ham 1", "ham"), ("ham 2", "ham"), ("spam 1", "spam"), ("spam 2", "spam")]},
    ),
    "a text a line, the label is the ending": (
        {f"rt-polarity.{label}": text for label, text in LINES.items()},
        {"train": OF_LINES[2:] + OF_LINES[:2]},
    ),
    "a text a line, the label is the name": (
        {f"{label}.txt": text for label, text in LINES.items()},
        {"train": OF_LINES[2:] + OF_LINES[:2]},
    ),
    "a text a line, the label in the name": (
        {f"all_{label}_reviews.txt": text for label, text in LINES.items()} | {"README.md": "x"},
        {"train": OF_LINES[2:] + OF_LINES[:2]},
    ),
    "a text a line, part and label in the name": (
        {f"{p}-{label}.txt": text for label, text in LINES.items() for p in ("train", "test")},
        {"train": OF_LINES[2:] + OF_LINES[:2], "test": OF_LINES[2:] + OF_LINES[:2]},
    ),
    "a text a line, folders are parts": (
        {f"{p}/{label}.txt": text for label, text in LINES.items() for p in ("train", "eval")},
        {"train": OF_LINES[2:] + OF_LINES[:2], "validation": OF_LINES[2:] + OF_LINES[:2]},
    ),
    "labels beside, as TweetEval": (
        {
            "train_text.txt": "one, two\nthree \r alone\n",
            "train_labels.txt": "0\n1\n",
            "val_text.txt": "four\n",
            "val_labels.txt": "1\n",
            "test_text.txt": "five\n",
            "test_labels.txt": "0",
            "mapping.txt": "0\tnegative\n1\tpositive\n",
        },
        {
            "train": [("one, two", "negative"), ("three \r alone", "positive")],
            "validation": [("four", "positive")],
            "test": [("five", "negative")],
        },
    ),
    "labels beside, called y": (
        {"x_train.txt": "a b\nc d\n", "y_train.txt": "no\nyes\n"},
        {"train": [("a b", "no"), ("c d", "yes")]},
    ),
    "labels beside, by the ending": (
        {"set.text": "a b\nc d\n", "set.label": "no\nyes\n"},
        {"train": [("a b", "no"), ("c d", "yes")]},
    ),
    "parts as tables": (
        {
            "train.csv": f"{CSV}a,x\n",
            "dev.csv": f"{CSV}b,x\n",
            "testing.csv": f"{CSV}c,y\n",
            "sample_submission.csv": "id,label\n1,x\n",
            "notes.txt": "about",
        },
        {"train": [("a", "x")], "validation": [("b", "x")], "test": [("c", "y")]},
    ),
    "parts in shards": (
        {
            "data/train-00000-of-00002.jsonl": '{"text": "a", "label": "x"}\n',
            "data/train-00001-of-00002.jsonl": '{"text": "b", "label": "y"}\n',
            "data/test-00000-of-00001.jsonl": '{"text": "c", "label": "y"}\n',
            "README.md": "---\n",
        },
        {"train": [("a", "x"), ("b", "y")], "test": [("c", "y")]},
    ),
    "parts as folders of tables": (
        {
            "train/2023.tsv": "text\tlabel\na\tx\n",
            "train/2024.tsv": "text\tlabel\nb\ty\n",
            "valid/all.tsv": "text\tlabel\nc\ty\n",
        },
        {"train": [("a", "x"), ("b", "y")], "validation": [("c", "y")]},
    ),
    "parts as tables in .txt": (
        {"train.txt": "label\ttext\nx\ta, b\ny\tc\n", "test.txt": "label\ttext\nx\ta, c\n"},
        {"train": [("a, b", "x"), ("c", "y")], "test": [("a, c", "x")]},
    ),
    "files of one table": (
        {f"part-000{i}.csv": f"{CSV}a{i},x\nb{i},y\n" for i in range(3)}
        | {"_SUCCESS": "", ".part-0000.csv.crc": "\0\1"},
        {"train": [(f"{name}{i}", label) for i in range(3) for name, label in ("ax", "by")]},
    ),
    "Spark's partitions": (
        {f"label={label}/part-0.csv": f"id,text\n1,{label} text\n" for label in ("ham", "spam")},
        {"train": [("ham text", "ham"), ("spam text", "spam")]},
    ),
    "code": (
        {"python/1.py": "import a", "shell/1.sh": "ls", "load.py": "import b", "LICENSE": "free"},
        {"train": [("import a", "python"), ("ls", "shell")]},
    ),
    "one table": ({"messages.csv": f"{CSV}a,x\n", "README.md": "x"}, {"train": [("a", "x")]}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("archived", [False, True], ids=["folder", "zip"])
def test_every_form_of_folder(tmp_path: Path, form: str, archived: bool) -> None:
    files, expected = FORMS[form]
    source = written(tmp_path / "data", files)
    source = zipped(source) if archived else source
    parts = read_parts(source, AUTO)
    assert {part: rows(table, "text", "label") for part, table in parts.items()} == expected
    assert list(parts) == list(expected)
    for part, table in parts.items():
        assert table.rows.tolist() == list(range(1, len(expected[part]) + 1))
        assert not table.set_aside
    chunks = list(iter_tables(source, AUTO, rows_per_chunk=1))
    assert [row for chunk in chunks for row in rows(chunk, "text", "label")] == [
        row for part in expected.values() for row in part
    ]
    n_rows = sum(map(len, expected.values()))
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == [*range(1, n_rows + 1)]


def notes_of(source: Path) -> str:
    return "; ".join(read_parts(source, AUTO)["train"].notes)


def test_what_was_found_is_said(tmp_path: Path) -> None:
    imdb, _ = FORMS["parts above labels, as IMDB"]
    assert notes_of(written(tmp_path / "imdb", imdb)) == (
        "folders are parts: train (2 files), test (2 files); a file a text, the label is its "
        "folder (neg, pos); left out: README, imdb.vocab, train/unsup/0_0.txt, train/urls_pos.txt"
    )
    tweets, _ = FORMS["labels beside, as TweetEval"]
    assert notes_of(written(tmp_path / "tweets", tweets)) == (
        "a text a line (train_text.txt), its label in the same line of train_labels.txt, called "
        "as in mapping.txt"
    )
    kaggle, _ = FORMS["parts as tables"]
    assert notes_of(written(tmp_path / "kaggle", kaggle)).startswith(
        "parts by their names: train (train.csv), validation (dev.csv), test (testing.csv); "
        "left out: notes.txt, sample_submission.csv; comma-separated"
    )
    names, _ = FORMS["a text a line, the label is the ending"]
    assert notes_of(written(tmp_path / "names", names)) == (
        "a text a line, its label in the name of the file (neg, pos)"
    )


def test_many_files_that_are_left_out_are_counted(tmp_path: Path) -> None:
    many = {f"unsup/{i}.txt": "x" for i in range(9)} | {"ham/1": "a", "spam/1": "b"}
    assert notes_of(written(tmp_path, many)).endswith("left out: 9 files in unsup (0.txt, …)")


def test_the_file_of_a_text_is_a_column_and_no_clue(tmp_path: Path) -> None:
    files = {f"{label}/{i}.txt": f"{label} {i}" for label in ("ham", "spam") for i in range(3)}
    given = read_given_parts(written(tmp_path / "mail", files), AUTO)
    assert given.other_columns.column_names == []
    table = read_table(tmp_path / "mail", AUTO)
    assert table.column_names == ["text", "label", "file"]
    assert table.columns["file"].to_pylist() == sorted(files)
    assert table.name == "mail"


def test_two_levels_that_could_both_be_the_label_are_asked_for(tmp_path: Path) -> None:
    files = {
        f"{a}/{b}/{i}.txt": f"{a} {b} {i}"
        for a in ("pos", "neg")
        for b in ("web", "mail")
        for i in range(3)
    }
    source = written(tmp_path, files)
    with pytest.raises(ColumnError, match="could be the label: folder1, folder2") as raised:
        prepare(source, AUTO)
    assert str(raised.value).endswith('Choose one: label="folder1"')
    counts = prepare(source, DataConfig(label="folder2", split="80/20")).summary["labels"]
    assert counts == {"mail": 6, "web": 6}
    assert "the label is one of its folders" in notes_of(source)


def test_texts_without_labels_have_their_files(tmp_path: Path) -> None:
    written(tmp_path, {"001.txt": "a\n\nb", "002.txt": "c, d", "010.txt": ""})
    table = read_table(tmp_path, AUTO)
    assert rows(table, "text", "file") == [
        ("a\n\nb", "001.txt"),
        ("c, d", "002.txt"),
        ("", "010.txt"),
    ]
    with pytest.raises(ColumnError, match="looks like labels"):
        prepare(tmp_path, AUTO)


@pytest.mark.parametrize(
    "files",
    [
        {"letter.txt": "Dear\n\nyou\n", "memo.txt": "a\nb\n"},
        {"letter.txt": "Dear you\n", "memo.txt": "a\nb\n"},
        {"doc1.txt": "a\nb\n", "doc2.txt": "c\nd\n"},
    ],
    ids=["paragraphs", "one line", "numbers"],
)
def test_documents_are_no_lines(tmp_path: Path, files: Files) -> None:
    table = read_table(written(tmp_path, files), AUTO)
    assert rows(table, "text", "file") == [(files[name], name) for name in sorted(files)]
    assert "nothing says a label" in table.notes[0]


def test_folders_of_tables_are_columns(tmp_path: Path) -> None:
    files = {f"{topic}/a.csv": f"id,text\n1,about {topic}\n" for topic in ("sport", "news")}
    table = read_table(written(tmp_path, files), AUTO)
    assert rows(table, "text", "folder1") == [("about news", "news"), ("about sport", "sport")]


def save_one(path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, labelled()).save_to_disk(path)


def save_several(path: Path) -> None:
    parts = {
        name: datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, labelled())
        for name in ("train", "validation", "test")
    }
    datasets.DatasetDict(parts).save_to_disk(path)


def labelled() -> datasets.Features:
    return datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["ham", "spam"])}
    )


@pytest.mark.parametrize(
    ("save", "parts"),
    [(save_one, ["train"]), (save_several, ["train", "validation", "test"])],
    ids=["data set", "splits"],
)
def test_data_sets_that_were_saved_to_disk(
    tmp_path: Path, save: Callable[[Path], None], parts: list[str]
) -> None:
    save(tmp_path / "saved")
    read = read_parts(tmp_path / "saved", AUTO)
    assert list(read) == parts
    for table in read.values():
        assert rows(table, "text", "label") == [("a", "ham"), ("b", "spam")]
    chunks = list(iter_tables(tmp_path / "saved", AUTO, rows_per_chunk=1))
    assert [len(chunk) for chunk in chunks] == [1] * 2 * len(parts)


def test_a_saved_data_set_that_was_changed_is_one_line(tmp_path: Path) -> None:
    save_one(tmp_path / "saved")
    whole = {file: file.read_bytes() for file in sorted((tmp_path / "saved").iterdir())}
    for file, content in whole.items():
        for changed in (b"", content[: len(content) // 2], b"{}", b"[1]", b'{"a": {}}', None):
            file.unlink()
            if changed is not None:
                file.write_bytes(changed)
            with suppress(DataError):
                read_table(tmp_path / "saved", AUTO)
            file.write_bytes(content)


def test_a_saved_data_set_in_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    save_several(tmp_path / "saved")
    with pytest.raises(DataError, match="that was saved to disk"):
        read_table(zipped(tmp_path / "saved"), AUTO)
