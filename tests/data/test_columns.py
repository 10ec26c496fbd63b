"""Which column is the text and which the label; and what is said when that is not clear."""

from typing import Any

import pandas as pd
import pytest

from headtune.data import Table, find_columns, find_text_column, read_table
from headtune.errors import ColumnError
from headtune.options import DataConfig

AUTO = DataConfig()
LONG = [
    "a text of several words",
    "another one that is long",
    "words and more words",
    "the end of it",
]


def table_of(**columns: list[Any]) -> Table:
    return read_table(pd.DataFrame({name: values * 5 for name, values in columns.items()}), AUTO)


def found(table: Table, **options: Any) -> tuple[str | None, str | None]:
    columns = find_columns(table, DataConfig(**options))
    return columns.text, columns.label


def error_of(table: Table, **options: Any) -> str:
    with pytest.raises(ColumnError) as raised:
        find_columns(table, DataConfig(**options))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("text", ["text", "Message", "sms", "review text", "content"])
@pytest.mark.parametrize("label", ["label", "Target", "class", "is_spam"])
def test_found_by_name(text: str, label: str) -> None:
    columns: dict[str, list[Any]] = {"about": LONG, text: ["x", "y", "z", "w"], label: [1, 2, 3, 1]}
    table = table_of(**columns)
    assert found(table) == (text, label)


def test_explanation_says_how() -> None:
    by_name = find_columns(table_of(text=LONG, target=[0, 1, 0, 1]), AUTO)
    assert by_name.explanation == (
        "text column 'text' (by its name), label column 'target' (by its name, 2 values)"
    )
    by_content = find_columns(table_of(one=LONG, two=["x", "y", "x", "y"]), AUTO)
    assert by_content.explanation == (
        "text column 'one' (longest strings), label column 'two' (2 values)"
    )


def test_label_values_are_counted_by_their_names() -> None:
    explanation = find_columns(
        table_of(text=LONG, target=["1", "1.0", " 1", "b"]), AUTO
    ).explanation
    assert explanation.endswith("label column 'target' (by its name, 2 values)")


def test_found_by_content_among_numbers_and_links() -> None:
    records = [
        {
            "number": str(i),
            "link": f"https://example.org/a/very/long/path/to/something/{i}",
            "kind": i % 2 == 0,
            "weight": (i % 3) / 2,
            "words": LONG[i % 4],
        }
        for i in range(20)
    ]
    table = read_table(records, AUTO)
    assert found(table) == ("words", "kind")


def test_the_plainest_name_is_taken() -> None:
    table = table_of(text=LONG, message=LONG, label=[0, 1, 0, 1], category=[0, 1, 0, 1])
    assert found(table) == ("text", "label")


def test_two_names_that_could_be_it() -> None:
    message = error_of(table_of(message=LONG, review=LONG, label=[0, 1, 0, 1]))
    assert 'could be the text: message, review. Choose one: text="message"' in message
    message = error_of(table_of(text=LONG, target=[0, 1, 0, 1], topic=[0, 1, 2, 0]))
    assert 'could be the label: target, topic. Choose one: label="target"' in message


def test_two_contents_that_could_be_it() -> None:
    message = error_of(table_of(first=LONG, second=LONG[::-1], label=[0, 1, 0, 1]))
    assert "could be the text: first, second." in message
    message = error_of(table_of(text=LONG, a=["x", "y", "x", "y"], b=[1, 1, 2, 2]))
    assert "could be the label: a, b." in message


def test_a_named_column_ends_the_doubt() -> None:
    table = table_of(first=LONG, second=LONG[::-1], a=[0, 1, 0, 1], b=[1, 1, 2, 2])
    assert found(table, text="second", label="b") == ("second", "b")
    assert "given" in find_columns(table, DataConfig(text="second", label="b")).explanation


def test_wrong_name_suggests_the_nearest() -> None:
    table = read_table([{"id": 1, "text": "a", "label": "b"}], AUTO)
    assert error_of(table, text="txt") == (
        "Column 'txt' is not in the data. It has: id, text, label. Did you mean text=\"text\"?"
    )
    assert error_of(table, label="LABEL").endswith('Did you mean label="label"?')
    assert error_of(table, text="zzz").endswith("Name one with text=.")


def test_a_text_column_of_numbers_is_refused() -> None:
    table = table_of(number=[1, 2, 3, 4], label=[0, 1, 0, 1])
    assert "Column 'number' of the data holds int64 values, not text" in error_of(
        table, text="number"
    )


def test_no_text_and_no_label() -> None:
    assert "No column of the data looks like text" in error_of(
        table_of(a=[1, 2, 3, 4], b=[1, 1, 2, 2])
    )
    assert "has no column for the label beside the text" in error_of(table_of(text=LONG))
    assert "No column of the data looks like labels" in error_of(
        read_table([{"text": f"words {i}", "number": i} for i in range(100)], AUTO)
    )


def test_one_column_cannot_be_both() -> None:
    table = table_of(text=LONG, label=[0, 1, 0, 1])
    assert "cannot be both text and label" in error_of(table, text="text", label="text")


def test_the_given_label_is_not_the_text() -> None:
    assert found(table_of(text=["x", "y", "x", "y"], story=LONG), label="text") == ("story", "text")


def test_the_split_column_is_neither() -> None:
    table = table_of(words=LONG, kind=[0, 1, 0, 1], part=["train", "test", "train", "dev"])
    assert found(table, split_column="part") == ("words", "kind")


def test_template_joins_columns_that_are_not_labels() -> None:
    table = table_of(keyword=["fire", "flood", "fire", "flood"], text=LONG, kind=[0, 1, 0, 1])
    columns = find_columns(table, DataConfig(template="{keyword}: {text}"))
    assert (columns.text, columns.template, columns.label) == (None, "{keyword}: {text}", "kind")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "{keywrd}: {text}",
            "Column 'keywrd' of template= is not in the data. It has: keyword, text",
        ),
        ("{keywrd}: {text}", "Did you mean {keyword}?"),
        ("no column", "names no column"),
        ("{text", "cannot be read"),
        ("{}", "Column '' of template="),
    ],
)
def test_wrong_templates(template: str, expected: str) -> None:
    table = table_of(keyword=["x", "y", "x", "y"], text=LONG)
    assert expected in error_of(table, template=template)


def test_prediction_tries_the_column_of_training_first() -> None:
    table = table_of(text=LONG, story=LONG)
    assert find_text_column(table, AUTO, trained_on="story").text == "story"
    assert find_text_column(table, DataConfig(text="text"), trained_on="story").text == "text"
    assert find_text_column(table, AUTO, trained_on="gone").text == "text"


def test_prediction_takes_the_only_column() -> None:
    table = read_table([{"whatever": "a"}, {"whatever": "b"}], AUTO)
    assert find_text_column(table, AUTO, trained_on="text").text == "whatever"


def test_prediction_without_a_text_column_names_the_trained_one() -> None:
    with pytest.raises(ColumnError, match="expected column 'story', which was trained on, or"):
        find_text_column(table_of(a=[1, 2, 3, 4], b=[1, 2, 3, 4]), AUTO, trained_on="story")
