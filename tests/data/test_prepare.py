"""The stage as a whole: three parts of any source, and an account in which every row is found."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tweets import TWEETS, needs_tweets

from headtune.data import (
    labelled_examples,
    prepare,
    prepare_texts,
    read_table,
    write_parts,
)
from headtune.errors import ColumnError, DataError, LabelError, SplitError
from headtune.options import DataConfig
from headtune.types import LabelSet, PreparedData


def frame_of(n_rows: int, **more: Any) -> pd.DataFrame:
    columns = {"text": [f"text {i}" for i in range(n_rows)], "label": ["a", "b"] * (n_rows // 2)}
    return pd.DataFrame(columns | more)


def sizes(prepared: PreparedData) -> tuple[int, int, int]:
    return len(prepared.train), len(prepared.validation), len(prepared.test)


def texts_of(prepared: PreparedData) -> list[set[str]]:
    return [{example.text.strip() for example in part} for part in prepared.parts.values()]


@pytest.fixture(scope="module")
def spam() -> PreparedData:
    return prepare("sms-spam", DataConfig())


def test_spam_is_accounted_for(spam: PreparedData) -> None:
    assert spam.labels.names == ("ham", "spam")
    assert spam.summary["rows_read"] == 5_574
    assert spam.summary["set_aside"] == {"count": 0, "by_reason": {}}
    assert spam.summary["repeats"] == 403
    assert spam.summary["conflicting_texts"] == 0
    assert spam.summary["repeats_across_parts"] == 0
    assert spam.summary["labels"] == {"ham": 4_827, "spam": 747}
    assert sum(sizes(spam)) == 5_574
    assert sizes(spam) == pytest.approx((3_902, 557, 1_115), abs=20)
    assert json.loads(json.dumps(spam.summary)) == spam.summary


def test_no_text_of_the_spam_is_in_two_parts(spam: PreparedData) -> None:
    train, validation, test = texts_of(spam)
    assert not train & (validation | test)
    assert not validation & test


def test_examples_are_the_rows_they_say(spam: PreparedData) -> None:
    table = read_table("sms-spam", DataConfig()).columns.to_pylist()
    for example in spam.test[:50]:
        assert table[example.row - 1]["column2"] == example.text
        assert spam.labels.id2label[example.label or 0] == table[example.row - 1]["column1"]


def test_reference_job_takes_as_many_ham_as_spam() -> None:
    prepared = prepare("sms-spam", DataConfig(balance="undersample"))
    assert prepared.labels.label2id == {"ham": 0, "spam": 1}
    counts = Counter(example.label for part in prepared.parts.values() for example in part)
    assert counts == {0: 747, 1: 747}
    assert sizes(prepared) == pytest.approx((1_046, 149, 299), abs=10)


@needs_tweets
def test_tweets_are_accounted_for() -> None:
    prepared = prepare(TWEETS, DataConfig(split="80/20"))
    assert prepared.summary["rows_read"] == 7_613
    assert prepared.summary["repeats"] == 110
    assert prepared.summary["conflicting_texts"] == 18
    assert prepared.summary["labels"] == {"0": 4_342, "1": 3_271}
    assert sizes(prepared) == pytest.approx((6_090, 0, 1_523), abs=20)
    train, _, test = texts_of(prepared)
    assert not train & test


def test_the_same_options_give_the_same_parts() -> None:
    first, again = (prepare(frame_of(40), DataConfig()) for _ in range(2))
    assert first == again
    other = prepare(frame_of(40), DataConfig(split_seed=43))
    assert other.summary["fingerprint"] != first.summary["fingerprint"]
    everything = DataConfig(split="100/0/0")
    prints = {
        prepare(frame, everything).summary["fingerprint"]
        for frame in (
            frame_of(40),
            frame_of(40).replace("text 7", "text seven"),
            frame_of(40, label=["b", "a"] * 20),
            frame_of(40).replace("b", "c"),
        )
    }
    assert len(prints) == 4


def test_rows_used_and_set_aside_add_up(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(30))
    path.write_text(f"text,label\nbroken\n,a\nno label,\n{rows}")
    prepared = prepare(path, DataConfig())
    assert prepared.summary["rows_read"] == 33
    assert sum(sizes(prepared)) == 30
    assert prepared.summary["set_aside"] == {
        "count": 3,
        "by_reason": {
            "1 field where 2 are expected": 1,
            "the text is empty": 1,
            "the label is missing": 1,
        },
    }
    assert [row.row for row in prepared.set_aside] == [1, 2, 3]
    with pytest.raises(DataError, match=r"Row 1 of a\.csv"):
        prepare(path, DataConfig(strict=True))


def test_no_usable_row() -> None:
    with pytest.raises(
        DataError, match="None of the 2 rows of the data can be used; row 1: the text"
    ):
        prepare([{"text": "", "label": "a"}, {"text": "b", "label": ""}], DataConfig())


def test_oversampling_repeats_rows_of_the_training_part_alone() -> None:
    frame = frame_of(100, label=["a"] * 80 + ["b"] * 20)
    plain = prepare(frame, DataConfig())
    more = prepare(frame, DataConfig(balance="oversample"))
    counts = Counter(example.label for example in more.train)
    assert counts[0] == counts[1] == Counter(example.label for example in plain.train)[0]
    assert (more.validation, more.test) == (plain.validation, plain.test)
    assert set(more.train) == set(plain.train)


def test_weights_change_no_row() -> None:
    frame = frame_of(100)
    assert prepare(frame, DataConfig(balance="weights")).parts == prepare(frame, DataConfig()).parts


def test_split_column_is_kept_and_leaks_are_counted() -> None:
    frame = frame_of(40, part=["train"] * 26 + ["Valid", "dev"] * 4 + ["test"] * 6)
    frame.loc[34, "text"] = "text 0 "  # a test row that is in training, too
    prepared = prepare(frame, DataConfig(split_column="part"))
    assert sizes(prepared) == (26, 8, 6)
    assert prepared.summary["repeats_across_parts"] == 1
    assert prepared.summary["split"] == "given by column 'part'"


def test_split_column_without_validation_cuts_it_from_training() -> None:
    frame = frame_of(100, part=["train"] * 80 + ["test"] * 20)
    prepared = prepare(frame, DataConfig(split_column="part"))
    assert sizes(prepared) == (70, 10, 20)
    assert {example.row for example in prepared.test} == set(range(81, 101))


def test_rows_whose_part_is_not_said_are_set_aside() -> None:
    frame = frame_of(20, part=["train"] * 10 + ["test"] * 9 + [None])
    prepared = prepare(frame, DataConfig(split_column="part", split="80/20"))
    assert [(row.row, row.reason) for row in prepared.set_aside] == [
        (20, "column 'part' does not say the part")
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"split_column": "part"}, "Row 20 of the data cannot be used: column 'part' does not say"),
        ({"split_by_time": "when"}, "Row 3 of the data cannot be used: column 'when' has no time"),
    ],
    ids=["part", "time"],
)
def test_strict_stops_at_a_row_without_a_part_or_a_time(
    options: dict[str, Any], reason: str
) -> None:
    part = ["train"] * 10 + ["test"] * 9 + [None]
    frame = frame_of(20, part=part, when=["2024-01-01", "2024-01-02", "?", *["2024-01-03"] * 17])
    with pytest.raises(DataError, match=reason):
        prepare(frame, DataConfig(split="80/20", strict=True, **options))


def test_wrong_split_columns() -> None:
    frame = frame_of(20, part=["one", "two"] * 10, other=["test"] * 20)
    with pytest.raises(
        SplitError, match="Column 'part' of the data holds one, two; expected train"
    ):
        prepare(frame, DataConfig(split_column="part"))
    with pytest.raises(SplitError, match="says train for no row"):
        prepare(frame, DataConfig(split_column="other"))
    with pytest.raises(ColumnError, match="Column 'gone' is not in the data"):
        prepare(frame, DataConfig(split_column="gone"))


def test_true_and_false_are_the_same_labels_in_files_of_every_program(tmp_path: Path) -> None:
    python, excel, lines = (tmp_path / name for name in ("a.csv", "b.csv", "c.jsonl"))
    python.write_text("text,label\n" + "one,True\ntwo,False\n" * 10)
    excel.write_text("text;label\nthree;TRUE\nfour;FALSE\n")
    lines.write_text('{"text": "five", "label": true}\n{"text": "six", "label": false}\n')
    config = DataConfig(split="100/0/0", validation_file=excel, test_file=lines)
    prepared = prepare(python, config)
    assert prepared.labels.names == ("false", "true")
    assert [e.label for e in (*prepared.validation, *prepared.test)] == [1, 0, 1, 0]
    examples, _ = labelled_examples(lines, DataConfig(), prepared.labels, "text", "label")
    assert [e.label for e in examples] == [1, 0]


def test_files_of_their_own(tmp_path: Path) -> None:
    validation, test = tmp_path / "validation.csv", tmp_path / "test.jsonl"
    frame_of(6, text=[f"validation {i}" for i in range(6)]).to_csv(validation, index=False)
    test.write_text('{"text": "text 0", "label": "a"}\n{"text": "", "label": "b"}\n')
    both = prepare(frame_of(40), DataConfig(validation_file=validation, test_file=test))
    assert sizes(both) == (40, 6, 1)
    assert both.summary["rows_read"] == 48
    assert both.summary["repeats_across_parts"] == 1
    assert [(row.row, row.reason) for row in both.set_aside] == [
        (2, "the text is empty (test: test.jsonl)")
    ]
    only_test = prepare(frame_of(80), DataConfig(test_file=test))
    assert sizes(only_test) == (70, 10, 1)
    assert only_test.summary["split"] == "given by files; validation cut from train by 70/10/20"
    with pytest.raises(SplitError, match="given twice, by split_column= and by validation_file="):
        prepare(frame_of(40), DataConfig(split_column="x", test_file=test))


def test_a_test_file_keeps_its_rows_whatever_the_balance(tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    frame_of(10, label=["a"] * 9 + ["b"]).to_csv(test, index=False)
    for balance in ("undersample", "oversample"):
        frame = frame_of(100, label=["a"] * 80 + ["b"] * 20)
        prepared = prepare(frame, DataConfig(test_file=test, split="80/20", balance=balance))
        assert len(prepared.test) == 10
        counts = Counter(example.label for example in prepared.train)
        assert counts[0] == counts[1]


def test_a_test_file_of_other_columns_or_labels(tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("words,label\na,b\n")
    with pytest.raises(ColumnError, match=r"Column 'text' is not in test\.csv"):
        prepare(frame_of(20), DataConfig(test_file=test))
    test.write_text("text,label\na,never seen\n")
    with pytest.raises(LabelError, match="No row of the training part has label never seen"):
        prepare(frame_of(20), DataConfig(test_file=test))
    test.write_text("text,label\na,\nb,\n")
    with pytest.raises(DataError, match=r"None of the 2 rows of test\.csv can be used"):
        prepare(frame_of(20), DataConfig(test_file=test))


def test_too_few_rows_for_the_parts() -> None:
    with pytest.raises(SplitError, match='4 rows are too few for split="70/10/20": the validation'):
        prepare(frame_of(4), DataConfig())
    assert sizes(prepare(frame_of(4), DataConfig(split="50/50"))) == (2, 0, 2)
    assert sizes(prepare(frame_of(4), DataConfig(split="100/0/0"))) == (4, 0, 0)


def test_parts_are_written_and_read_again(tmp_path: Path, spam: PreparedData) -> None:
    write_parts(spam, tmp_path / "parts")
    for name, part in spam.parts.items():
        path = tmp_path / "parts" / f"{name}.csv"
        assert pd.read_csv(path).columns.tolist() == ["text", "label", "row"]
        table = read_table(path, DataConfig())
        assert table.columns["text"].to_pylist() == [example.text for example in part]
        assert table.columns["row"].to_pylist() == [str(example.row) for example in part]
        assert table.columns["label"].to_pylist() == spam.labels.decode(e.label or 0 for e in part)


def test_awkward_texts_survive_being_written(tmp_path: Path) -> None:
    awkward = ["a\rb", 'say "hi"', "a,b\nc", "tab\tbed", "é\u2028ü", "'", '"', "1.0"]
    frame = frame_of(8, text=awkward)
    prepared = prepare(frame, DataConfig(split="100/0/0"))
    write_parts(prepared, tmp_path)
    table = read_table(tmp_path / "train.csv", DataConfig())
    assert table.columns["text"].to_pylist() == awkward
    assert [path.name for path in tmp_path.iterdir()] == ["train.csv"]


# Lists of Python


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series], ids=lambda k: k.__name__)
def test_texts_and_labels_of_any_sequence(kind: Any) -> None:
    labels, examples = prepare_texts(kind(["one", "two", "three"]), kind([1, 0, 1]))
    assert labels.names == ("0", "1")
    assert [(e.text, e.label, e.row) for e in examples] == [
        ("one", 1, 1),
        ("two", 0, 2),
        ("three", 1, 3),
    ]
    assert all(type(e.text) is str for e in examples)


@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        (["a", "b"], [1], "received 2 texts and 1 label"),
        (["a", None], [0, 1], r"Text 1 \(counted from 0\) is NoneType, expected str"),
        (["a", 3], [0, 1], "is int, expected str"),
        (["a", " "], [0, 1], r"Text 1 \(counted from 0\) is empty"),
        (["a", "b"], [0, None], r"Label 1 \(counted from 0\) is missing"),
        (["a", "b"], [0, 0], "at least two labels"),
        (["a", "b"], [0.5, 0.7], "numbers with fractions"),
        (
            ["a", "b \ud83d"],
            [0, 1],
            r"Text 1 \(counted from 0\) holds half a surrogate .*'b \\ud83d'",
        ),
        (["a", "b"], ["x", "\ud83d"], r"Label 1 \(counted from 0\) holds half a surrogate"),
        ("ab", [0, 1], "received one string"),
        ([], [], "received none"),
    ],
)
def test_texts_and_labels_that_are_refused(texts: Any, labels: Any, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        prepare_texts(texts, labels)


# A table to test a finished classifier on

AB = LabelSet(("a", "b"))


def test_labelled_examples_try_the_columns_of_training() -> None:
    frame = frame_of(10, story=[f"story {i}" for i in range(10)], kind=["b", "a"] * 5)
    examples, set_aside = labelled_examples(frame, DataConfig(), AB, "story", "kind")
    assert [(e.text, e.label, e.row) for e in examples[:2]] == [
        ("story 0", 1, 1),
        ("story 1", 0, 2),
    ]
    assert set_aside == ()
    examples, _ = labelled_examples(frame, DataConfig(), AB, "gone", "gone")
    assert (examples[0].text, examples[0].label) == ("text 0", 0)


def test_labelled_examples_may_have_one_label_and_few_rows() -> None:
    examples, _ = labelled_examples(
        [{"text": "x", "label": "b"}], DataConfig(), AB, "text", "label"
    )
    assert [(e.text, e.label) for e in examples] == [("x", 1)]


def test_labelled_examples_follow_a_template() -> None:
    records = [{"k": "fire", "text": "x", "label": "a"}, {"k": "", "text": "", "label": "b"}]
    config = DataConfig(template="{k}: {text}")
    examples, set_aside = labelled_examples(records, config, AB, None, "label")
    assert [e.text for e in examples] == ["fire: x"]
    assert [row.row for row in set_aside] == [2]


def test_unknown_labels_are_named_with_the_known_ones() -> None:
    frame = frame_of(4, label=["a", "c", "d", "c"])
    with pytest.raises(LabelError) as raised:
        labelled_examples(frame, DataConfig(), AB, "text", "label")
    assert "does not know the labels 'c', 'd' (first in row 2). It knows: a, b." in str(
        raised.value
    )
