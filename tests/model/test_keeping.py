"""What is run, what is reused, and where the states are when memory or disk is short."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headtune.model import (
    Compute,
    FrozenTrunk,
    Keeper,
    KeptTexts,
    SequenceClassifier,
    StateStore,
    attach_trunk,
    load_backbone,
    make_trainable,
    open_store,
    predict_logits,
)
from headtune.model.frozen import keeping
from headtune.model.frozen import kept_files as cache
from headtune.options import MachineConfig, ModelConfig, TuneConfig
from headtune.pretrained import Trust, find_pretrained
from headtune.types import TokenizedExample

CPU = Compute(torch.device("cpu"), torch.float32, "as asked")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTUNE_CACHE", str(tmp_path / "cache"))


def make_trunk(folder: Path, tune: str = "last-1", **options: Any) -> FrozenTrunk:
    config = ModelConfig(model=str(folder), **options)
    backbone = load_backbone(find_pretrained(str(folder)), config, MachineConfig(), CPU)
    classifier = SequenceClassifier(backbone, 2, pooling=config.pooling, seed=1)
    make_trainable(classifier, TuneConfig(tune=tune))
    trunk = attach_trunk(classifier, TuneConfig(tune=tune))
    assert trunk is not None
    return trunk


def store_of(trunk: FrozenTrunk, folder: Path, **options: Any) -> StateStore:
    config, machine = ModelConfig(model=str(folder)), MachineConfig(**options)
    store = open_store(trunk, find_pretrained(str(folder)), config, machine, CPU, 1, print)
    assert store is not None
    return store


def make_examples(n: int) -> list[TokenizedExample]:
    rng = np.random.default_rng(0)
    return [
        TokenizedExample(
            rng.integers(2, 300, int(rng.integers(1, 30))).astype(np.int32), row % 2, row
        )
        for row in range(1, n + 1)
    ]


def keep(
    trunk: FrozenTrunk, examples: Sequence[TokenizedExample], store: StateStore | None
) -> KeptTexts:
    kept = Keeper(trunk, 60, store).keep(examples)
    assert kept is not None
    assert [example.row for example in kept.examples] == [example.row for example in examples]
    return kept


def logits_of(classifier: SequenceClassifier, kept: KeptTexts) -> Any:
    return predict_logits(classifier, kept.examples, 100)


def test_equal_texts_are_run_once(tiny_llama: Path) -> None:
    examples = make_examples(10)
    trunk = make_trunk(tiny_llama)
    again = [TokenizedExample(e.input_ids.copy(), e.label, e.row + 10) for e in examples]
    kept = keep(trunk, [*examples, *again], None)
    assert (kept.n_run, kept.n_reused) == (10, 0)
    for first, second in zip(kept.examples[:10], kept.examples[10:], strict=True):
        assert first.states is second.states


@pytest.mark.parametrize("tune", ["head", "last-1"])
def test_only_texts_that_are_new_are_run(tiny_llama: Path, tune: str) -> None:
    examples = make_examples(30)
    first = keep(make_trunk(tiny_llama, tune), examples[:20], store_of_new(tiny_llama, tune))
    assert (first.n_run, first.n_reused) == (20, 0)
    trunk = make_trunk(tiny_llama, tune)
    expected = predict_logits(trunk.classifier, examples, 100)
    more = keep(trunk, examples[10:], store_of_new(tiny_llama, tune))
    assert (more.n_run, more.n_reused) == (10, 10)
    np.testing.assert_allclose(logits_of(trunk.classifier, more), expected[10:], atol=1e-5)
    fewer = keep(trunk, examples[5:8], store_of_new(tiny_llama, tune))
    assert (fewer.n_run, fewer.n_reused) == (0, 3)
    for new, old in zip(fewer.examples, first.examples[5:8], strict=True):
        assert torch.equal(new.states, old.states)


def store_of_new(folder: Path, tune: str) -> StateStore:
    """The store as another process would open it."""
    return store_of(make_trunk(folder, tune), folder)


def test_depth_and_pooling_have_stores_of_their_own(tiny_llama: Path) -> None:
    options: list[tuple[str, dict[str, Any]]] = [
        ("last-1", {}),
        ("last-1", {"pooling": "mean"}),  # the same states: what is pooled comes later
        ("head", {}),
        ("head", {"pooling": "mean"}),
    ]
    keys = [
        store_of(make_trunk(tiny_llama, tune, **given), tiny_llama).identity.key
        for tune, given in options
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_head_alone_does_without_knowing_the_blocks(tiny_llama: Path) -> None:
    trunk, examples = make_trunk(tiny_llama, "head"), make_examples(4)
    expected = logits_of(trunk.classifier, keep(trunk, examples, None))
    trunk.classifier.backbone.config.num_hidden_layers = 7  # which no list of modules has
    kept = keep(trunk, examples, store_of(trunk, tiny_llama))
    np.testing.assert_allclose(logits_of(trunk.classifier, kept), expected, atol=1e-6)


def test_random_weights_have_states_of_their_own(tiny_llama: Path) -> None:
    """Of each seed, and apart from those of the pretrained model."""
    trunk, folder = make_trunk(tiny_llama), find_pretrained(str(tiny_llama))
    found = []
    for options, seed in (
        (ModelConfig(), 1),
        (ModelConfig(), 2),
        (ModelConfig(random_weights=True), 1),
        (ModelConfig(random_weights=True), 2),
    ):
        store = open_store(trunk, folder, options, MachineConfig(), CPU, seed, print)
        assert store is not None
        found.append(store.identity.key)
    assert found[0] == found[1]  # the seed is of the head
    assert len(set(found)) == 3


def test_no_store_where_none_is_wanted_or_none_can_be_trusted(tiny_llama: Path) -> None:
    trunk, folder = make_trunk(tiny_llama), find_pretrained(str(tiny_llama))
    trusted = find_pretrained(str(tiny_llama), trust=Trust.GIVEN)
    for machine, model in ((MachineConfig(cache_limit=0), folder), (MachineConfig(), trusted)):
        assert open_store(trunk, model, ModelConfig(), machine, CPU, 1, print) is None


def test_states_are_read_from_disk_where_memory_is_short(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BYTES_PER_FILE", 10_000)
    trunk, examples = make_trunk(tiny_llama), make_examples(30)
    expected = logits_of(trunk.classifier, keep(trunk, examples, None))
    memory = SimpleNamespace(available=1000)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    kept = keep(trunk, examples, store_of(trunk, tiny_llama))
    assert len(cache.kept_files()) > 3
    np.testing.assert_array_equal(logits_of(trunk.classifier, kept), expected)
    assert Keeper(trunk, 60, None).keep(examples) is None
    cache.clear_cache()
    tight = store_of(trunk, tiny_llama, cache_limit=20_000)
    assert Keeper(trunk, 60, tight).keep(examples) is None


def test_a_disk_that_fills_up_leaves_the_states_in_memory(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BYTES_PER_FILE", 10_000)
    trunk, examples = make_trunk(tiny_llama), make_examples(30)
    expected = logits_of(trunk.classifier, keep(trunk, examples, None))
    store = store_of(trunk, tiny_llama)
    publish, n_files = cache.publish, [0]

    def two_files_only(*arguments: Any) -> Path:
        n_files[0] += 1
        if n_files[0] > 2:
            raise OSError(28, "No space left on device")
        return publish(*arguments)

    monkeypatch.setattr(cache, "publish", two_files_only)
    kept = keep(trunk, examples, store)
    np.testing.assert_array_equal(logits_of(trunk.classifier, kept), expected)
    assert n_files[0] == 3
    assert len(cache.kept_files()) == 2


def test_a_run_that_was_stopped_goes_on_from_whole_groups(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BYTES_PER_FILE", 10_000)
    trunk, examples = make_trunk(tiny_llama), make_examples(30)
    done: list[int] = []

    def stop(n_examples: int, n_tokens: int) -> None:
        done.append(n_examples)
        if len(done) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Keeper(trunk, 60, store_of(trunk, tiny_llama), on_batch=stop).keep(examples)
    kept = keep(trunk, examples, store_of(trunk, tiny_llama))
    assert 0 < kept.n_reused <= sum(done)
    assert kept.n_run + kept.n_reused == 30


def test_a_higher_trunk_goes_on_from_a_deeper_one(tiny_llama: Path) -> None:
    """``head`` from what enters the last block: frozen blocks below do not run again."""
    trunk, examples = make_trunk(tiny_llama, "last-1"), make_examples(20)
    classifier = trunk.classifier
    direct = keep(FrozenTrunk(classifier, [], None), examples, None)
    deeper = keep(trunk, examples, None)
    runs = []
    classifier.backbone.layers[0].mlp.register_forward_hook(lambda *_: runs.append(1))
    pooled = keep(FrozenTrunk(classifier, [], None), deeper.examples, None)
    assert runs == []
    for one, other in zip(pooled.examples, direct.examples, strict=True):
        torch.testing.assert_close(one.states, other.states, atol=1e-5, rtol=0)


class EightBit(torch.nn.Module):
    """A linear layer whose weights are held in 8 bits, as quantising libraries put in."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.scale = float(linear.weight.detach().abs().max()) / 127
        rounded = (linear.weight.detach() / self.scale).round().to(torch.int8)
        self.register_buffer("weight", rounded)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight: Any = self.weight
        return torch.nn.functional.linear(x, weight.float() * self.scale)


def quantized_trunk(folder: Path) -> FrozenTrunk:
    """The weights of the same files, rounded when they were loaded."""
    trunk = make_trunk(folder)
    for block in trunk.frozen:
        mlp: Any = block.get_submodule("mlp")
        mlp.down_proj = EightBit(mlp.down_proj)
    return trunk


def test_states_of_quantized_weights_are_not_those_of_plain_ones(tiny_llama: Path) -> None:
    """Both ways: what either has kept is not found by the other, and is found by itself."""
    examples = make_examples(6)
    for make, other in ((make_trunk, quantized_trunk), (quantized_trunk, make_trunk)):
        cache.clear_cache()
        first = keep(make(tiny_llama), examples, store_of(make(tiny_llama), tiny_llama))
        assert first.n_run == 6
        kept = keep(other(tiny_llama), examples, store_of(other(tiny_llama), tiny_llama))
        assert (kept.n_run, kept.n_reused) == (6, 0)
        assert not torch.equal(kept.examples[0].states, first.examples[0].states)
        again = keep(make(tiny_llama), examples, store_of(make(tiny_llama), tiny_llama))
        assert (again.n_run, again.n_reused) == (0, 6)
        assert torch.equal(again.examples[0].states, first.examples[0].states)


def test_quantization_that_only_the_configuration_tells_of_has_states_of_its_own(
    tiny_llama: Path,
) -> None:
    keys = []
    for said in (None, {"quant_method": "fp8"}, {"quant_method": "fp8", "dequantize": True}):
        trunk = make_trunk(tiny_llama)
        if said is not None:
            trunk.classifier.backbone.config.quantization_config = said
        keys.append(store_of(trunk, tiny_llama).identity.key)
    assert len(set(keys)) == 3


def test_states_in_bfloat16_are_not_those_that_were_rounded_between_products(
    tiny_llama: Path,
) -> None:
    """A cache of before has these, and a run would have other digits with it than without."""
    trunk, folder = make_trunk(tiny_llama), find_pretrained(str(tiny_llama))
    identities = {}
    for dtype in (torch.float32, torch.bfloat16):
        compute = Compute(CPU.device, dtype, "as asked")
        store = open_store(trunk, folder, ModelConfig(), MachineConfig(), compute, 1, print)
        assert store is not None
        identities[dtype] = store.identity
    plain, below = identities[torch.float32], identities[torch.bfloat16]
    assert replace(below, libraries=plain.libraries).key != below.key
    assert "float32 between products" not in plain.libraries
