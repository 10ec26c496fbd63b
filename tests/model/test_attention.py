"""Every kernel of packed attention against a plain reference, over lengths of all kinds."""

import itertools
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtune.errors import ModelError
from headtune.model.attention import kernels
from headtune.model.attention import layout as arrangement
from headtune.model.attention import packed as attention
from headtune.model.attention.kernels import FLASH_KERNELS, KERNEL_VARIABLE, Settings
from headtune.model.attention.layout import MAX_SCORES, SequenceLayout
from headtune.model.attention.packed import packed_attention

HEADS, KV_HEADS, DIM = 4, 2, 8


def reference(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    lengths: list[int],
    *,
    causal: bool = True,
    window: int | None = None,
    softcap: float | None = None,
    scale: float,
) -> torch.Tensor:
    """One sequence at a time, every score written out; ``(n_tokens, heads, dim)``."""
    outputs = []
    start = 0
    for length in lengths:
        part = slice(start, start + length)
        queries, keys, values = (x[0, :, part] for x in (q, k, v))  # (heads, length, dim)
        keys, values = (x.repeat_interleave(HEADS // KV_HEADS, dim=0) for x in (keys, values))
        scores = queries @ keys.transpose(1, 2) * scale
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        distance = torch.arange(length)[:, None] - torch.arange(length)
        hidden = distance < 0 if causal else torch.zeros_like(distance, dtype=torch.bool)
        if window is not None:
            hidden = hidden | (distance.abs() >= window)
        weights = scores.masked_fill(hidden, -math.inf).softmax(-1)
        outputs.append((weights @ values).transpose(0, 1))
        start += length
    return torch.cat(outputs)


def make_inputs(n_tokens: int, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(1, heads, n_tokens, DIM, generator=generator, requires_grad=True)
        for heads in (HEADS, KV_HEADS, KV_HEADS)
    ]


def check(lengths: list[int], *, causal: bool = True, **settings: Any) -> None:
    q, k, v = make_inputs(sum(lengths))
    layout = SequenceLayout.from_lengths(lengths, torch.device("cpu"), causal)
    module: Any = SimpleNamespace(training=False)
    ours, _ = packed_attention(
        module, q, k, v, None, layout=layout, scaling=0.3, dropout=0.5,
        sliding_window=settings.get("window"), softcap=settings.get("softcap"),
    )  # fmt: skip
    expected = reference(q, k, v, lengths, causal=causal, scale=0.3, **settings)
    torch.testing.assert_close(ours[0], expected, atol=1e-5, rtol=1e-4)
    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    ours_grads = torch.autograd.grad((ours[0] * upstream).sum(), (q, k, v))
    grads = torch.autograd.grad((expected * upstream).sum(), (q, k, v))
    for ours_grad, grad in zip(ours_grads, grads, strict=True):
        torch.testing.assert_close(ours_grad, grad, atol=2e-5, rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.booleans(),
    st.sampled_from([None, 1, 5, 1_000]),
    st.sampled_from([None, 2.0]),
)
def test_block_kernel_equals_the_reference(
    lengths: list[int], causal: bool, window: int | None, softcap: float | None
) -> None:
    check(lengths, causal=causal, window=window, softcap=softcap)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [None, 7, 40])
@pytest.mark.parametrize("softcap", [None, 2.0])
def test_long_sequences_are_chunked_or_fused(
    monkeypatch: pytest.MonkeyPatch, causal: bool, window: int | None, softcap: float | None
) -> None:
    """With the bound at 16 tokens, sequences of 17 and more take the paths of long ones."""
    monkeypatch.setattr(attention, "LONG_SEQUENCE", 16)
    check([50, 3, 17, 16, 33], causal=causal, window=window, softcap=softcap)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([None, 5]),
    st.sampled_from([None, 2.0]),
)
def test_the_reference_kernel_can_be_forced(
    lengths: list[int], causal: bool, window: int | None, softcap: float | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KERNEL_VARIABLE, "reference")
        patch.setattr(attention, "_in_blocks", None)  # would fail if it were called
        check(lengths, causal=causal, window=window, softcap=softcap)


@pytest.mark.parametrize("name", list(FLASH_KERNELS))
def test_a_flash_kernel_that_is_forced_without_cuda_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KERNEL_VARIABLE, name)
    with pytest.raises(ModelError, match=r"CUDA, not torch.float32 on cpu"):
        check([3])
    monkeypatch.setenv(KERNEL_VARIABLE, "fastest")
    with pytest.raises(ModelError, match="There are: torch_varlen"):
        check([3])


def right(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bounds: torch.Tensor,
          longest: int, causal: bool, setting: Settings) -> torch.Tensor:  # fmt: skip
    """A kernel called as the flash ones are, with an answer to rely on."""
    assert longest == bounds.diff().max()
    starts = bounds.tolist()
    return torch.cat(
        [
            kernels.reference(q[start:end], k[start:end], v[start:end], causal, setting)
            for start, end in itertools.pairwise(starts)
        ]
    )


def absent(*args: Any) -> torch.Tensor:
    raise ImportError("no such package")


def wrong(*args: Any) -> torch.Tensor:
    return right(*args) * 1.5


def test_the_first_kernel_that_is_there_and_right_is_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Kernels are tried before they are believed, and the log says why one is not used."""
    monkeypatch.setattr(kernels, "FLASH_KERNELS", {"one": absent, "two": wrong, "three": right})
    monkeypatch.setattr(kernels, "RUNS_ON", (("cpu",), (torch.float32,)))
    q = make_inputs(12)[0][0].transpose(0, 1)
    asked = Settings(scale=0.3, dropout=0.0, window=4, softcap=None)
    caplog.set_level("INFO", logger="headtune")
    chosen = kernels._choose.__wrapped__(
        None, q.device, q.dtype, HEADS, DIM, KV_HEADS, DIM, True, asked
    )
    assert chosen is not None
    (message,) = [record.getMessage() for record in caplog.records]
    assert "three on cpu" in message
    assert "one: no such package; two: its answer is not that of the reference" in message
    monkeypatch.setattr(kernels, "FLASH_KERNELS", {"one": absent})
    nothing = kernels._choose.__wrapped__(
        None, q.device, q.dtype, HEADS, DIM, KV_HEADS, DIM, True, asked
    )
    assert nothing is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="flash kernels need CUDA; none is here")
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [None, 7])
def test_the_kernel_chosen_on_cuda_equals_the_reference(causal: bool, window: int | None) -> None:
    lengths = [50, 3, 17, 200, 33]
    q, k, v = (x.detach().cuda().bfloat16() for x in make_inputs(sum(lengths)))
    module: Any = SimpleNamespace(training=False)
    layout = SequenceLayout.from_lengths(lengths, q.device, causal)
    ours, _ = packed_attention(module, q, k, v, None, layout=layout, sliding_window=window)
    expected = reference(
        q.float(), k.float(), v.float(), lengths, causal=causal, window=window, scale=DIM**-0.5
    )
    torch.testing.assert_close(ours[0].float(), expected, atol=0.05, rtol=0.05)


def test_groups_split_where_blocks_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrangement, "MAX_SCORES", 200)
    layout = SequenceLayout.from_lengths([10] * 5, torch.device("cpu"))
    assert [group.index.shape for group in layout.groups] == [(2, 10), (2, 10), (1, 10)]
    check([10] * 5)


def test_a_long_text_never_makes_a_square_of_the_packed_length() -> None:
    """8,000 tokens beside short ones: the largest tensor stays far below 8,000 x 8,000 scores."""
    lengths = [8_000] + [20] * 50
    q, k, v = (x.detach() for x in make_inputs(sum(lengths)))
    layout = SequenceLayout.from_lengths(lengths, torch.device("cpu"))
    module: Any = SimpleNamespace(training=False)
    sizes: list[int] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            out = func(*args, **(kwargs or {}))
            results = out if isinstance(out, tuple) else (out,)
            sizes.extend(x.numel() for x in results if isinstance(x, torch.Tensor))
            return out

    for window, softcap in ((None, None), (128, None), (None, 20.0)):
        with Watch():  # type: ignore[no-untyped-call]
            ours, _ = packed_attention(
                module, q, k, v, None, layout=layout, sliding_window=window, softcap=softcap
            )
        assert ours.shape == (1, sum(lengths), HEADS, DIM)
    assert max(sizes) <= HEADS * MAX_SCORES
    assert sum(mask.numel() for mask in layout._masks.values()) <= 4 * MAX_SCORES


def test_dropout_applies_in_training_only() -> None:
    q, k, v = make_inputs(12)
    layout = SequenceLayout.from_lengths([12], torch.device("cpu"))
    torch.manual_seed(0)
    modules: list[Any] = [SimpleNamespace(training=training) for training in (True, False, False)]
    calls = [packed_attention(m, q, k, v, None, layout=layout, dropout=0.5)[0] for m in modules]
    assert not torch.allclose(calls[0], calls[1])
    assert torch.equal(calls[1], calls[2])
