"""Workbooks give the table that a person sees in them, or one line that says what is odd."""

import datetime
import io
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from made_workbooks import WORKBOOKS, Rows, write_xlsx
from refusals import error_of

from headtune.data import Table, iter_tables, read_table
from headtune.options import DataConfig

AUTO = DataConfig()
NUMBERED: Rows = [[f"number {i}", i % 3] for i in range(60)]
ROWS: Rows = [["text", "label"], *NUMBERED]
KINDS = pytest.mark.parametrize("kind", WORKBOOKS)


def values(table: Table) -> dict[str, list[object]]:
    return {name: table.columns[name].to_pylist() for name in table.column_names}


@KINDS
@pytest.mark.parametrize("name", ["book.{}", "book.csv", "book"])
def test_a_sheet_is_a_table_whatever_the_name_of_its_file(
    tmp_path: Path, kind: str, name: str
) -> None:
    path = tmp_path / name.format(kind)
    WORKBOOKS[kind](path, {"Sheet": ROWS})
    table = read_table(path, AUTO)
    assert values(table) == {
        "text": [f"number {i}" for i in range(60)],
        "label": [i % 3 for i in range(60)],
    }
    assert table.rows.tolist() == list(range(1, 61))
    assert table.notes == ("workbook", "sheet 'Sheet'", "header")


@KINDS
def test_it_streams(tmp_path: Path, kind: str) -> None:
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": ROWS})
    chunks = list(iter_tables(tmp_path / "a", AUTO, rows_per_chunk=25))
    assert [len(chunk) for chunk in chunks] == [25, 25, 10]
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == list(range(1, 61))


@KINDS
def test_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": ROWS, "Other": [["text"], ["x"]]})
    for address, n_rows in (("-", 60), ("-::Other", 1)):
        data = io.BytesIO((tmp_path / "a").read_bytes())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        assert len(read_table(address, AUTO)) == n_rows


@KINDS
def test_cells_of_every_kind(tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        ["text", "whole", "number", "truth", "when", "day", "mixed", "long"],
        ["a", 1.0, 1.5, True, datetime.datetime(2024, 1, 31, 18, 5), datetime.date(2024, 1, 31),
         1, "7"],
        ["b", 2, 2, False, None, None, "x", "8"],
        ["c", None, None, None, None, None, True, "9"],
    ]  # fmt: skip
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": rows})
    table = read_table(tmp_path / "a", AUTO)
    assert values(table) == {
        "text": ["a", "b", "c"],
        "whole": [1, 2, None],
        "number": [1.5, 2.0, None],
        "truth": [True, False, None],
        "when": ["2024-01-31 18:05:00", None, None],
        "day": ["2024-01-31", None, None],
        "mixed": ["1", "x", "TRUE"],
        "long": ["7", "8", "9"],
    }


@KINDS
def test_titles_and_empty_rows_and_columns_are_left_out(tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        [],
        ["Messages of the year"],
        [None, None],
        ["exported", datetime.date(2024, 1, 1)],
        [None, "text", None, "label", "by", None, "note"],
        [None, "a", None, "x", "me", None, None],
        [],
        [None, "b", None, "y", "me", None, None],
    ]
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": rows})
    table = read_table(tmp_path / "a", AUTO)
    assert values(table) == {
        "text": ["a", "b"],
        "label": ["x", "y"],
        "by": ["me", "me"],
        "note": [None, None],
    }
    assert table.rows.tolist() == [1, 2]
    assert "2 rows above the header left out" in table.notes


@KINDS
def test_a_column_of_numbers_without_a_name(tmp_path: Path, kind: str) -> None:
    numbered: Rows = [["A title"], *[[None if i == 0 else i, *row] for i, row in enumerate(ROWS)]]
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": numbered})
    table = read_table(tmp_path / "a", AUTO)
    assert table.column_names == ["column1", "text", "label"]
    assert len(table) == 60


@KINDS
def test_without_a_header(tmp_path: Path, kind: str) -> None:
    rows: Rows = [[f"a text of number {i}.", "xy"[i % 2]] for i in range(9)]
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": rows})
    assert read_table(tmp_path / "a", AUTO).column_names == ["column1", "column2"]
    assert len(read_table(tmp_path / "a", AUTO)) == 9
    given = read_table(tmp_path / "a", DataConfig(header="yes"))
    assert given.column_names == ["a text of number 0.", "x"]


# Sheets


@KINDS
def test_the_sheet_that_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"book.{kind}"
    WORKBOOKS[kind](path, {"One": ROWS, "Zwei 2": ROWS[:5], "Empty": []})
    assert len(read_table(f"{path}::One", AUTO)) == 60
    assert len(read_table(f"{path}::Zwei 2", AUTO)) == 4
    assert error_of(f"{path}::Three") == (
        f"There is no sheet 'Three' in book.{kind}; it has One, Zwei 2, Empty. "
        f"Name one of them: book.{kind}::One"
    )
    assert "has no rows" in error_of(f"{path}::Empty")


@KINDS
def test_sheets_that_could_both_be_it_are_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"book.{kind}"
    WORKBOOKS[kind](path, {"May": ROWS, "June": ROWS})
    message = f"book.{kind} has 2 sheets that could be the table: May, June."
    assert error_of(path) == f"{message} Name one of them: book.{kind}::May"


def test_the_only_sheet_that_is_a_table_is_taken_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_xlsx(path, {"About": [["Written in May"], ["by us"]], "Data": ROWS})
    assert "sheet 'Data' (no table: About)" in read_table(path, AUTO).notes
    codes: Rows = [["code", "meaning"], [0, "ham"], [1, "spam"]]
    write_xlsx(path, {"Codes": codes, "Data": ROWS})
    (_, note, _) = read_table(path, AUTO).notes
    assert note == "sheet 'Data', the only one of 2 with such columns (not Codes)"
    (_, note, _) = read_table(path, DataConfig(text="meaning", label="code")).notes
    assert note == "sheet 'Codes', the only one of 2 with such columns (not Data)"


@KINDS
def test_sheets_that_are_parts(tmp_path: Path, kind: str) -> None:
    WORKBOOKS[kind](tmp_path / "a", {"train": ROWS, "dev": ROWS[:10], "Test": ROWS[:20]})
    table = read_table(tmp_path / "a", AUTO)
    assert len(table) == 60 + 9 + 19
    assert "sheets train, dev, Test as parts" in table.notes
    chunks = list(iter_tables(tmp_path / "a", AUTO, rows_per_chunk=50))
    assert [len(chunk) for chunk in chunks] == [50, 10, 9, 19]


def test_hidden_sheets_are_not_looked_at(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("Hidden", "Seen"):
        sheet = book.create_sheet(name)
        for row in ROWS:
            sheet.append(row)
    book["Hidden"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert "sheet 'Seen'" in read_table(tmp_path / "a.xlsx", AUTO).notes


def test_merged_cells_and_errors(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    rows: Rows = [["Our messages", None], ["text", "label"], ["a", "x"], ["b", None], ["c", "y"]]
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("B3:B4")
    sheet["A5"].value, sheet["A5"].data_type = "#N/A", "e"
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx", AUTO)
    assert values(table) == {"text": ["a", "b", None], "label": ["x", "x", "y"]}
    assert table.notes[-1] == "merged cells: their value is in each of their rows (1 filled)"


# What cannot be read


def in_sheet(path: Path, old: bytes, new: bytes) -> None:
    """A workbook whose first sheet says something else."""
    write_xlsx(path, {"Sheet": ROWS})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content.replace(old, new))


def test_a_cell_at_the_end_of_all_rows_and_columns(tmp_path: Path) -> None:
    in_sheet(tmp_path / "a.xlsx", b'r="B61"', b'r="XFD1048576"')
    message = error_of(tmp_path / "a.xlsx")
    assert "a.xlsx cannot be read as a workbook: it asks for more memory or time" in message


def test_a_workbook_that_is_a_bomb(tmp_path: Path) -> None:
    in_sheet(tmp_path / "a.xlsx", b"</sheetData>", b"<row/>" * 15_000_000 + b"</sheetData>")
    assert "unpacks to more than 200 times its size" in error_of(tmp_path / "a.xlsx")


def test_a_workbook_above_the_bound(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", {"Sheet": ROWS})
    message = error_of(tmp_path / "a.xlsx", DataConfig(max_unpacked="5kB"))
    assert "unpacks to more than 5.0 kB" in message


@KINDS
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_workbook_that_is_cut_short(tmp_path: Path, kind: str, share: float) -> None:
    WORKBOOKS[kind](tmp_path / "a", {"Sheet": [*ROWS] * 20})
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: int(len(data) * share)])
    assert "cut short" in error_of(tmp_path / "a")


def test_a_locked_workbook_and_an_old_document(tmp_path: Path) -> None:
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    (tmp_path / "a.doc").write_bytes(start + bytes(4_000))
    assert "cannot be read as a workbook" in error_of(tmp_path / "a.doc")


def test_text_that_is_called_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_text("text\tlabel\nhello there\tham\nbye\tspam\n")
    table = read_table(tmp_path / "a.xls", AUTO)
    assert values(table) == {"text": ["hello there", "bye"], "label": ["ham", "spam"]}
    assert table.notes[0] == "text, though its name ends in .xls"
