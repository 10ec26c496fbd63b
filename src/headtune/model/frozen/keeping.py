"""What frozen layers make of the texts of a run: found on disk, or run once and kept.

1. Texts with the same token ids are one text. What a store has of them is not run again; what it
   has of a shorter trunk is gone on from, so that ``head`` after ``last-2`` runs two blocks.
2. The others are packed, longest first, and run, 256 MB of states at a time.
   Several processes run a share of them each, and read the others' from the store.
3. Each such group is written to the store as one file. The states also stay in memory if they
   take at most a quarter of what is free; else they are read from the file as they are needed.

Guarantees: a run that is stopped leaves whole groups behind, and the next one goes on from there.
A store that cannot be written is done without; None is given where memory is short as well.
A text's states may differ in the last bit with the texts beside it in a batch, as any matrix
product may; once kept, they are the same in every epoch and every run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import torch
import transformers

from headtune.batches import KeptExample, pack, share_out
from headtune.model.frozen.kept_states import StateStore, TrunkIdentity, text_key
from headtune.model.frozen.trunk import FrozenTrunk, shorter_trunks
from headtune.model.hardware.compute import Compute
from headtune.model.quantized import quantization_of
from headtune.options import MachineConfig, ModelConfig
from headtune.options.written import parse_size
from headtune.pretrained import PretrainedFolder, weights_sha256
from headtune.processes import all_gather, broadcast, n_processes, rank
from headtune.types import TokenizedExample

__all__ = ["Keeper", "KeptTexts", "open_store"]

BYTES_PER_FILE = 256 * 1024**2
SHARE_OF_FREE_MEMORY = 0.25

States = dict[bytes, torch.Tensor]


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """Examples with their states, in order; and how many different texts were run, and reused.

    ``n_begun`` of those that were run went on from where a shorter trunk had left them.
    """

    examples: list[KeptExample]
    n_run: int
    n_reused: int
    n_begun: int = 0


def open_store(
    trunk: FrozenTrunk,
    folder: PretrainedFolder,
    options: ModelConfig,
    machine: MachineConfig,
    compute: Compute,
    seed: int,
    say: Callable[[str], None],
) -> StateStore | None:
    """The store of a trunk; None where the user wants none, or its key would not tell enough.

    That is so for a model that brings its own Python code, which no hash of weights covers.
    """
    limit = parse_size("cache_limit", machine.cache_limit)
    if not limit or folder.may_run_code:
        return None
    classifier = trunk.classifier
    weights = weights_sha256(folder.path)
    identity = TrunkIdentity(
        model=folder.name,
        weights=f"random {seed} {weights}" if options.random_weights else weights,
        depth=trunk.depth,
        attention=classifier.attention,
        pooling=classifier.pooling if trunk.lowest is None else "",
        dtype=str(classifier.compute_dtype),
        device=compute.device.type,
        libraries=_arithmetic(compute),
        quantization=quantization_of(classifier.backbone),
    )
    return StateStore(identity, limit, say)


def _arithmetic(compute: Compute) -> str:
    """Whose it is; and whether it is float32 between products, which it was not always."""
    libraries = f"torch {torch.__version__}, transformers {transformers.__version__}"
    in_full = compute.device.type == "cpu" and compute.dtype != torch.float32
    return f"{libraries}, float32 between products" if in_full else libraries


@contextmanager
def _attached(trunk: FrozenTrunk) -> Iterator[None]:
    """Within, examples that bring states of ``trunk`` go on from there."""
    own = trunk.classifier.trunk
    trunk.classifier.trunk = trunk
    try:
        yield
    finally:
        trunk.classifier.trunk = own


class Keeper:
    """Runs a trunk over texts and keeps what it gives.

    ``store`` may be None: then the states are kept in memory only. ``on_start`` hears how many
    texts and tokens are to be run, ``on_batch`` of each batch.
    """

    def __init__(
        self,
        trunk: FrozenTrunk,
        max_tokens_per_batch: int,
        store: StateStore | None = None,
        on_start: Callable[[int, int], None] = lambda n_texts, n_tokens: None,
        on_batch: Callable[[int, int], None] = lambda n_examples, n_tokens: None,
    ) -> None:
        self.trunk = trunk
        self.max_tokens_per_batch = max_tokens_per_batch
        self.store = store
        self.on_start = on_start
        self.on_batch = on_batch

    def keep(self, examples: Sequence[TokenizedExample]) -> KeptTexts | None:
        """The examples with their states; None where neither memory nor disk can hold them."""
        keys = [text_key(example) for example in examples]
        texts = dict(zip(keys, examples, strict=True))
        n_shared = self._run_share(texts)
        states = self.store.find(texts) if self.store else {}
        n_reused = len(states) - n_shared
        missing = {key: text for key, text in texts.items() if key not in states}
        n_begun = 0
        for shorter, begun in self._begun(missing):
            with _attached(shorter):
                run = self._run(begun)
            if run is None:
                return None
            states |= run
            n_begun += len(run)
        missing = {key: text for key, text in missing.items() if key not in states}
        if missing:
            run = self._run(missing)
            if run is None:
                return None
            states |= run
        kept = [KeptExample.of(text, states[key]) for key, text in zip(keys, examples, strict=True)]
        return KeptTexts(kept, len(texts) - n_reused, n_reused, n_begun)

    def _begun(
        self, missing: Mapping[bytes, TokenizedExample]
    ) -> Iterator[tuple[FrozenTrunk, dict[bytes, KeptExample]]]:
        """What shorter trunks, the longest first, have kept of the texts; each text once."""
        if self.store is None or any(isinstance(text, KeptExample) for text in missing.values()):
            return
        left = dict(missing)
        for shorter in shorter_trunks(self.trunk):
            found = self.store.of(depth=shorter.depth, pooling="").find(left) if left else {}
            if found:
                yield shorter, {key: KeptExample.of(left.pop(key), found[key]) for key in found}

    def _run_share(self, texts: Mapping[bytes, TokenizedExample]) -> int:
        """Of the texts that the main process misses, run and write a share, as all processes do.

        Returns how many all of them together have added to what is kept on disk.
        """
        if self.store is None or n_processes() == 1:
            return 0
        before = self.store.find(texts)
        missing = broadcast([key for key in texts if key not in before])
        share = share_out([len(texts[key]) for key in missing], n_processes())[rank()]
        mine = {missing[index]: texts[missing[index]] for index in share}
        if mine:
            self._run(mine)
        all_gather(None)  # all have written
        return len(self.store.find(missing))

    def _run(self, texts: Mapping[bytes, TokenizedExample]) -> States | None:
        n_bytes = sum(map(self.trunk.n_bytes, texts.values()))
        in_memory = n_bytes <= SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available
        on_disk = self.store is not None and self.store.has_room(n_bytes)
        if not in_memory and not on_disk:
            return None
        self.on_start(len(texts), sum(map(len, texts.values())))
        states: States = {}
        for group in self._groups(texts):
            made = self._run_group(texts, group)
            written = self.store is not None and self.store.write(made)
            if not in_memory:
                made = self.store.find(made) if self.store and written else {}
                if not made:
                    return None
            states |= made
        return states

    def _run_group(
        self, texts: Mapping[bytes, TokenizedExample], group: list[list[bytes]]
    ) -> States:
        states: States = {}
        for keys in group:
            batch = [texts[key] for key in keys]
            # Cloned: a view would keep the whole batch in memory for as long as one text.
            made = (tensor.clone() for tensor in self.trunk.run(batch))
            states.update(zip(keys, made, strict=True))
            self.on_batch(len(batch), sum(map(len, batch)))
        return states

    def _groups(self, texts: Mapping[bytes, TokenizedExample]) -> Iterator[list[list[bytes]]]:
        """Batches of texts, as many as fill a file."""
        keys = list(texts)
        group: list[list[bytes]] = []
        filled = 0
        for places in pack([len(text) for text in texts.values()], self.max_tokens_per_batch):
            batch = [keys[place] for place in places]
            size = sum(self.trunk.n_bytes(texts[key]) for key in batch)
            if group and filled + size > BYTES_PER_FILE:
                yield group
                group, filled = [], 0
            group.append(batch)
            filled += size
        if group:
            yield group
