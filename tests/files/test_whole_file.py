"""A file is the old one or the new one, and nothing is left of a failure."""

from pathlib import Path

import pytest

from headtune.files.whole_file import write_whole, written_aside


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")
    with written_aside(path) as work:
        work.write_bytes(b"ne")
        assert path.read_bytes() == b"old"
        work.write_bytes(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def stop(work: Path) -> None:
        work.write_bytes(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), written_aside(path) as work:
        stop(work)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a.json", b"new")
