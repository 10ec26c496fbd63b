"""What is no table that can be read, told by its first bytes, with the nearest form that is read.

Knows no reader.
"""

import re

from headtune.data.reading.opening.packing import packing_of
from headtune.errors import DataError, option

__all__ = ["other_form", "refuse_other_formats"]

A_TABLE = "Give a table of texts and labels."
AS_PARQUET = "Write its table as Parquet or CSV."
IN_R = "In R: write.csv(x, 'x.csv', row.names = FALSE)"
IN_STATA = "In Stata: export delimited"
IN_PANDAS_OF_XML = "In pandas: pandas.read_xml('x.xml').to_csv('x.csv')"
IN_PANDAS = "In pandas: frame.to_parquet('x.parquet')"

OF_TEXT = (
    (rb"%PDF", "a PDF", "Give the table it was made from."),
    (rb"%!PS", "a PostScript document", "Give the table it was made from."),
    (rb"(\xef\xbb\xbf)?\s*<\?xml", "XML", IN_PANDAS_OF_XML),
    (rb"\{\\rtf", "a document (RTF)", "Copy its table into a workbook, or save it as CSV."),
    (rb"A\n[23]\n\d", "data of R", IN_R),
    (rb"<stata_dta>", "data of Stata", IN_STATA),
    (rb"HEADER RECORD\*{7}LIB", "data of SAS", "Export it as CSV there."),
)
"""First bytes of formats that are text themselves -> what the file looks like, and the way out."""

OF_BYTES = (
    (rb"PAR1", "a Parquet file", "Let its name end in .parquet."),
    (rb"PARE", "an encrypted Parquet file", "Write it without encryption."),
    (rb"ORC", "an ORC file", f"{AS_PARQUET} {IN_PANDAS}"),
    (rb"Obj\x01", "an Avro file", f"{AS_PARQUET} {IN_PANDAS}"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", IN_PANDAS),
    (rb"\x93NUMPY", "an array of NumPy", "Write texts and labels as Parquet or CSV."),
    (
        rb"\x80[\x02-\x05][\x80-\x95c\]}(]",
        "a Python pickle",
        f"Pickles are never read. {AS_PARQUET}",
    ),
    (rb"RDX[23]\n|RD[AB][23]\n|X\n\0\0\0[\x02\x03]", "data of R", IN_R),
    (rb"\$FL[23]", "data of SPSS", "Save as CSV or .xlsx there."),
    (rb"[\x71-\x73][\x01\x02]\x01\0", "data of Stata", IN_STATA),
    (rb"\0{12}\xc2\xea\x81\x60", "data of SAS", "Export it as CSV there."),
    (
        rb"\0\x01\0\0Standard (Jet|ACE) DB",
        "an Access database",
        "Export its table as CSV or .xlsx.",
    ),
    (rb".{8}DUCK", "a DuckDB database", "In DuckDB: COPY table TO 'x.parquet'"),
    (rb"\x7fELF|MZ[\x90\0]", "a program", A_TABLE),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first, or pack it as .zip."),
    (rb"Rar!\x1a\x07", "a RAR archive", "Unpack it first, or pack it as .zip."),
    (rb"\x1f[\x9d\xa0]", "packed by compress", "Unpack it first, or pack it with gzip."),
    (rb"LZIP\x01", "packed by lzip", "Unpack it first, or pack it with xz."),
    (
        rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP",
        "a picture",
        A_TABLE,
    ),
    (rb"RIFF.{4}WAVE|ID3[\x02-\x04]|OggS\0|fLaC\0", "a recording", A_TABLE),
    (rb".{4}ftyp", "a film", A_TABLE),
    (rb"GGUF[\x01-\x09]\0", "a model (GGUF)", f"It belongs to {option('model')}."),
)
"""The same of other formats; a table may begin with such a word: ``ORC,label``."""


NO_TEXT = (
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive, or a document that is one"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old document of Office"),
    (rb"SQLite format 3\0", "an SQLite database"),
    (rb"ARROW1\0\0|FEA1\0{4}", "an Arrow file"),
)
"""First bytes of tables that are read, but are no text."""


def refuse_other_formats(head: bytes, name: str) -> None:
    """Raises ``DataError`` at the first bytes of what is no table."""
    found = _found(head)
    if found is not None:
        looks_like, way_out = found
        raise DataError(
            f"{name} is not a table that can be read: it is {looks_like}.", way_out=way_out
        )


def other_form(head: bytes) -> str | None:
    """What the first bytes of a file are that is no text: a picture, an archive, a database."""
    found = _found(head)
    if found is not None:
        return found[0]
    if packing_of(head) is not None:
        return "packed"
    return next((what for first, what in NO_TEXT if re.match(first, head)), None)


def _found(head: bytes) -> tuple[str, str] | None:
    """What it looks like, and the way out."""
    for first, looks_like, way_out in (*OF_TEXT, *([] if _is_text(head) else OF_BYTES)):
        if re.match(first, head, re.DOTALL):
            return looks_like, way_out
    return None


def _is_text(head: bytes) -> bool:
    return not head[:300].translate(None, b"\t\r\n" + bytes(range(32, 127)))
