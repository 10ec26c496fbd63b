"""A finished folder to its place, where that is a link. Killed saves: test_killed_save.py."""

from pathlib import Path

import pytest

from headtune.files import publish


def save(out: Path, content: str) -> None:
    with publish.staging(out) as work:
        (work / "file").write_text(content)
        publish.publish(work, out, durable=False)


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_link_is_followed_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    if not exchanges:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    run, link = tmp_path / "runs" / "v1", tmp_path / "latest"
    save(run, "0")
    link.symlink_to(run)
    for content in ("1", "2", "3"):
        save(link, content)
        assert link.is_symlink()
        assert (run / "file").read_text() == content
    assert {path.name for path in tmp_path.iterdir()} == {"latest", "runs"}
    assert [path.name for path in run.parent.iterdir()] == ["v1"]


def test_an_old_folder_that_stepped_aside_is_found_through_the_link(tmp_path: Path) -> None:
    run, link = tmp_path / "runs" / "v1", tmp_path / "latest"
    save(run, "0")
    link.symlink_to(run)
    run.rename(run.parent / ".v1.old")
    assert (publish.in_place(link) / "file").read_text() == "0"
    publish.recover(link)
    assert (link / "file").read_text() == "0"
