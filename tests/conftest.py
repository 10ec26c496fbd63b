"""Small real things that tests share: a tokenizer trained on a dozen sentences, and two-layer
random models of real architectures, saved as folders that ``from_pretrained`` reads. No network.
"""

import base64
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from markupsafe import Markup
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedTokenizerFast

SENTENCES = (
    "the winner of a free prize is called now",
    "call this number to claim your cash award",
    "are you coming home for dinner tonight",
    "see you at the station in ten minutes",
    "forest fire near the town spreads quickly",
    "people were told to stay in their houses",
    "I love the new song on the radio",
    "thirteen thousand people were evacuated",
    "text YES to win a holiday for two",
    "ok lar joking with you only",
    "what time is the meeting tomorrow",
    "urgent your account has been selected",
)

SHAPE: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 0,
}

FAMILIES: dict[str, dict[str, Any]] = {
    "gpt2": {
        "vocab_size": 300,
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 256,
        "bos_token_id": 1,
        "eos_token_id": 0,
        "pad_token_id": 0,
    },
    "llama": SHAPE,
    "qwen3": SHAPE,
    "mistral": SHAPE | {"sliding_window": 6},
    "gemma3_text": SHAPE
    | {
        "sliding_window": 6,
        "layer_types": ["sliding_attention", "full_attention"],
        "query_pre_attn_scalar": 8,
    },
}
"""Architecture -> settings of a two-layer model; windows shorter than the tests' texts."""


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-pair tokenizer of 300 entries; end of text is also padding, as in GPT-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|end|>", "<|begin|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", bos_token="<|begin|>"
    )


def make_model_folder(family: str, folder: Path, **changes: Any) -> Path:
    """A random two-layer model with its tokenizer, as ``save_pretrained`` writes them."""
    torch.manual_seed(7)
    config = CONFIG_MAPPING[family](**(FAMILIES[family] | changes))
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():  # norms and biases differ from one and zero, as in a trained model
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


LONGEST = (
    "test_export.py", "test_processes.py", "test_docs.py", "test_artifact.py", "test_hub.py",
    "test_benchmarks.py", "test_one_fit.py", "test_sweep.py", "test_push.py", "test_bfloat16.py",
    "test_special_tokens.py", "test_killed_save.py", "test_in_a_kernel.py",
)  # fmt: skip
"""Files that take longest: first, so that no process is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay together, each in its own order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests leave the user's cache alone, and do not go by what was measured for it."""
    os.environ["HEADTUNE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True, scope="session")
def _float32_where_nothing_is_said(_own_cache: None) -> None:
    """Tests compare digits, on machines that multiply bfloat16 fast too, and in new processes."""
    from headtune.model.hardware import compute, measured

    measured.measured(compute.SPEED_UP, lambda: 0.1)
    compute.format_of_cpu()  # which a process asks once


@pytest.fixture(autouse=True, scope="session")
def _verified_in_this_process() -> Iterator[None]:
    """Saved runs are loaded and probed here rather than in a new process, which takes 7 s."""
    from headtune.artifact import load, save

    def verify(folder: Path, options: Any) -> Any:
        return load.load_artifact(folder, options=options).probes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(save, "verify_in_fresh_process", verify)
        yield


@pytest.fixture(autouse=True)
def _verified_as_users_do(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests marked ``fresh_process`` save is proved in a process of its own."""
    if request.node.get_closest_marker("fresh_process") is not None:
        from headtune.artifact import save, verify

        monkeypatch.setattr(save, "verify_in_fresh_process", verify.verify_in_fresh_process)


BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTr3jgAAAABJRU5ErkJggg=="
)
"""A picture of one point."""


@pytest.fixture(autouse=True, scope="session")
def blank_pictures() -> Iterator[dict[str, Callable[..., None]]]:
    """Runs get blank pictures: drawing them takes longer than all else that a tiny run does.

    Yields what draws them, which ``drawn`` puts back.
    """
    from headtune.artifact.layout import CURVES, HISTORY, RELIABILITY
    from headtune.report import write_history
    from headtune.report.page import run_page
    from headtune.run import saving

    write_page = saving._write_page
    drawing: dict[str, Callable[..., None]] = {
        "_write_pictures": saving._write_pictures,
        "_write_page": write_page,
    }

    def no_pictures(report: Any, prepared: Any, fitted: Any, folder: Path) -> None:
        write_history(list(report.history), folder / HISTORY)
        (folder / CURVES).write_bytes(BLANK)
        if report.calibration and fitted.config.report.calibrate:
            (folder / RELIABILITY).write_bytes(BLANK)

    def blank(name: str, alternative: str, draw: Any, *, height: float = 3.0) -> Markup:
        return Markup("<svg role='img' viewBox='0 0 9 9' aria-label='{}'></svg>").format(name)

    def page_without(*arguments: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run_page, "picture", blank)
            write_page(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "_write_pictures", no_pictures)
        patch.setattr(saving, "_write_page", page_without)
        yield drawing


@pytest.fixture
def drawn(blank_pictures: dict[str, Callable[..., None]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test get their pictures, as users' do."""
    from headtune.run import saving

    for name, function in blank_pictures.items():
        monkeypatch.setattr(saving, name, function)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Family name -> folder of its tiny model, made once a session."""
    made: dict[str, Path] = {}

    def folder_of(family: str) -> Path:
        if family not in made:
            made[family] = make_model_folder(family, tmp_path_factory.mktemp(family))
        return made[family]

    return folder_of


@pytest.fixture(scope="session")
def tiny_llama(model_folder: Callable[[str], Path]) -> Path:
    return model_folder("llama")
