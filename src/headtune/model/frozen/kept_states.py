"""States of texts below the trained blocks, on disk: found by what a text is, written in files.

A text is its token ids: ``text_key`` hashes them, so tokenizer, template and cutting length need
no mention. A ``StateStore`` is the states of one trunk, whose key is a hash over everything else
that the states depend on (``TrunkIdentity``). A file holds

    keys     (n_texts, 16) uint8     which texts
    lengths  (n_texts,) int64        rows of each in ``states``
    checks   (n_texts,) int64        CRC-32 of each text's rows
    states   (n_rows, hidden_size)   in the compute dtype

and is read through a memory map: a text costs memory only while it is used. ``kept_files.py`` says
how files come, stay and go.

Guarantees: what is found is bit for bit what was written; a broken file, or a text whose bytes do
not give its check, is as good as not there. A disk that cannot be written stops nothing: the
reason is said once. Costs: reading checks each text once.
"""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from headtune.files.cache_folder import remove_abandoned
from headtune.model.frozen import kept_files as cache
from headtune.types import TokenizedExample
from headtune.wording.numbers import size

__all__ = ["StateStore", "TrunkIdentity", "text_key"]

FORMAT = 1
KEY_BYTES = 16


def text_key(example: TokenizedExample) -> bytes:
    """What a text is found by: 16 bytes of the SHA-256 of its token ids."""
    return hashlib.sha256(example.input_ids.tobytes()).digest()[:KEY_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkIdentity:
    """All that the states of a text depend on, besides the text.

    ``model`` is the name for people, and not part of the key: the same weights under another name
    give the same states. ``weights`` is their sha256; ``depth`` says where the trunk ends;
    ``libraries`` whose arithmetic it was; ``quantization`` how the weights were held when they were
    used (``quantized.py``), "" for plain numbers.
    """

    model: str
    weights: str
    depth: str
    attention: str
    pooling: str
    dtype: str
    device: str
    libraries: str
    quantization: str = ""

    @property
    def key(self) -> str:
        """Name of the trunk's folder."""
        values = asdict(self) | {"format": FORMAT}
        del values["model"]
        if not self.quantization:  # states of plain weights are found by the key they always had
            del values["quantization"]
        return hashlib.sha256(
            json.dumps(values, sort_keys=True, allow_nan=False).encode()
        ).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text's states are: rows ``start`` to ``stop`` of a file's states."""

    path: Path
    states: torch.Tensor
    start: int
    stop: int
    check: int

    @property
    def rows(self) -> torch.Tensor:
        return self.states[self.start : self.stop]


class StateStore:
    """The kept states of one trunk, shared by all processes of this user.

    ``limit`` bounds the bytes of all trunks together; ``say`` hears why nothing is written.
    """

    def __init__(
        self, identity: TrunkIdentity, limit: int, say: Callable[[str], None] = lambda message: None
    ) -> None:
        self.identity = identity
        self.limit = limit
        self.say = say
        self.writes = True
        self.folder = cache.trunks_folder() / identity.key
        self._places: dict[bytes, _Place] = {}
        self._read: set[Path] = set()

    def of(self, **changes: str) -> "StateStore":
        """The store of another trunk, which differs in these fields of its identity."""
        return StateStore(replace(self.identity, **changes), self.limit, self.say)

    def find(self, keys: Iterable[bytes]) -> dict[bytes, torch.Tensor]:
        """The states of those texts that are kept: views of memory-mapped files.

        Shape of each: ``(n_rows, hidden_size)``. The files they come from count as used now.
        """
        self._read_new_files()
        places = {key: self._places[key] for key in keys if key in self._places}
        for path in {place.path for place in places.values()}:
            cache.mark_used(path)
        return {key: place.rows for key, place in places.items() if self._is_sound(key, place)}

    def write(self, states: Mapping[bytes, torch.Tensor]) -> bool:
        """Keep the states of texts in a new file; False, and a word why, where that fails."""
        n_bytes = sum(tensor.nbytes for tensor in states.values())
        if not self.writes or not self.has_room(n_bytes):
            return False
        try:
            remove_abandoned(cache.unfinished_files())
            cache.make_room(n_bytes, self.limit)
            cache.publish(self.folder, lambda path: self._save(states, path))
        except (OSError, SafetensorError) as error:
            self.stop_writing(" ".join(str(error).split())[:200])
        return self.writes

    def has_room(self, n_bytes: int) -> bool:
        """Whether so much may be written: within the limit, and half of what the disk has free."""
        if n_bytes > self.limit:
            self.stop_writing(
                f"they take {size(n_bytes)}, more than the option cache_limit, {size(self.limit)}"
            )
        elif n_bytes > (free := _free_bytes(self.folder)) // 2:
            self.stop_writing(f"the disk has {size(free)} free, half of which would go")
        return self.writes

    def stop_writing(self, reason: str) -> None:
        """Write nothing from here on; the reason is said the first time."""
        if self.writes:
            self.say(f"Outputs of frozen layers are not kept on disk: {reason}.")
        self.writes = False

    def _is_sound(self, key: bytes, place: _Place) -> bool:
        """Whether the bytes of a text are those that were written; else its file goes."""
        if _crc(place.rows) == place.check:
            return True
        del self._places[key]
        with suppress(OSError):
            place.path.unlink()
        return False

    def _save(self, states: Mapping[bytes, torch.Tensor], path: Path) -> None:
        tensors = {
            "keys": torch.tensor([list(key) for key in states], dtype=torch.uint8),
            "lengths": torch.tensor([len(tensor) for tensor in states.values()]),
            "checks": torch.tensor([_crc(tensor) for tensor in states.values()]),
            "states": torch.cat(list(states.values())),
        }
        identity = self.identity
        header = {"model": identity.model, "depth": identity.depth, "n_texts": str(len(states))}
        save_file(tensors, path, metadata=header)

    def _read_new_files(self) -> None:
        for file in cache.kept_files(self.folder):
            if file.path not in self._read:
                self._read.add(file.path)
                for key, place in _places_of(file.path):
                    self._places.setdefault(key, place)


def _places_of(path: Path) -> Iterator[tuple[bytes, _Place]]:
    """Text key -> place, for every text of a file; none if it has gone or is broken."""
    try:
        tensors = load_file(path)
        keys, states = tensors["keys"].numpy(), tensors["states"]
        lengths, checks = tensors["lengths"].tolist(), tensors["checks"].tolist()
    except OSError:
        return
    except (SafetensorError, KeyError):
        with suppress(OSError):
            path.unlink()
        return
    stop = 0
    for key, length, check in zip(keys, lengths, checks, strict=True):
        start, stop = stop, stop + length
        yield key.tobytes(), _Place(path, states, start, stop, check)


def _crc(states: torch.Tensor) -> int:
    rows: Any = states.contiguous().view(torch.uint8).numpy()
    return zlib.crc32(rows)


def _free_bytes(folder: Path) -> int:
    """Of the disk that holds the folder, or would."""
    there = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    return shutil.disk_usage(there).free
