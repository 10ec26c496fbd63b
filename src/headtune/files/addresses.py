"""``file::inside``: a file, and what of it is meant.

    archive.zip::messages.csv             a table of several in an archive
    book.xlsx::Sheet2                     a sheet of a workbook
    texts.sqlite::messages                a table of a database, or a query
    archive.zip::book.xlsx::Sheet2        one within the other

A file whose own name holds ``::`` is taken as it is. Otherwise the name ends at the first ``::``
before which there is a file, so a query may hold more of them.
"""

from pathlib import Path

__all__ = ["exists", "split_address"]

MARK = "::"


def exists(name: str) -> bool:
    """Whether there is a file or folder of that name; a query that is too long for one is none."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def split_address(source: str) -> tuple[str, str | None]:
    """The name of the file, and what is meant of it (None: nothing is said)."""
    if MARK not in source or exists(source):
        return source, None
    start = source.find(MARK)
    while start >= 0:
        name = source[:start]
        if name == "-" or exists(name):
            return name, source[start + len(MARK) :]
        start = source.find(MARK, start + 1)
    name, _, inside = source.partition(MARK)
    return name, inside
