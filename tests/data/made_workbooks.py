"""Writes the same sheets as workbooks of three kinds, by openpyxl, xlwt and odfpy."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

__all__ = ["WORKBOOKS", "Cell", "Rows", "write_ods", "write_xls", "write_xlsx"]

Cell: TypeAlias = str | float | bool | datetime.date | datetime.datetime | None
Rows: TypeAlias = Sequence[Sequence[Cell]]


def write_xlsx(path: Path, sheets: Mapping[str, Rows]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row, cells in enumerate(rows, start=1):
            for column, value in enumerate(cells, start=1):
                cell = sheet.cell(row, column)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"  # "=1" is a text here
    book.save(path)


def write_xls(path: Path, sheets: Mapping[str, Rows]) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    date, moment = xlwt.XFStyle(), xlwt.XFStyle()
    date.num_format_str, moment.num_format_str = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, datetime.datetime):
                    sheet.write(row, column, value, moment)
                elif isinstance(value, datetime.date):
                    sheet.write(row, column, value, date)
                elif value is not None:
                    sheet.write(row, column, value)
    book.save(str(path))


def write_ods(path: Path, sheets: Mapping[str, Rows]) -> None:
    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for cells in rows:
            row = TableRow()
            for value in cells:
                row.addElement(_ods_cell(value))
            table.addElement(row)
        document.spreadsheet.addElement(table)
    document.save(str(path))


def _ods_cell(value: Cell) -> TableCell:
    if value is None:
        return TableCell()
    if isinstance(value, bool):
        return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=repr(value))
    if isinstance(value, datetime.date):
        written = value.isoformat()
        return TableCell(valuetype="date", datevalue=written)
    cell = TableCell(valuetype="string")
    for line in str(value).split("\n"):
        cell.addElement(P(text=line))
    return cell


WORKBOOKS: dict[str, Callable[[Path, Mapping[str, Rows]], None]] = {
    "xlsx": write_xlsx,
    "xls": write_xls,
    "ods": write_ods,
}
