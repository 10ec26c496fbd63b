"""Every field of a manifest, with what it must not be: an error of ours in one line, at once.

Manifests are sealed anew after each change, so that only the rules stand between a value and those
who use it.
"""

import copy
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtune import TextClassifier
from headtune.artifact import describe_run, load_artifact
from headtune.artifact.manifest import Manifest, seal_of
from headtune.artifact.manifest_rules import FIELDS
from headtune.cli.app import run as run_command
from headtune.errors import ArtifactFormatError, HeadtuneError
from tests_support import TEXTS, TOPICS

SECONDS = 2.0

Values = dict[str, Any]


@pytest.fixture(scope="module")
def run(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    classifier = TextClassifier(
        str(tiny_llama), "lora", max_steps=2, lora_rank=2, device="cpu", dtype="float32"
    )
    return classifier.fit(TEXTS, TOPICS).save(tmp_path_factory.mktemp("rules") / "run")


@pytest.fixture(scope="module")
def original(run: Path) -> Values:
    values: Values = json.loads((run / "headtune.json").read_text())
    return values


@pytest.fixture(scope="module")
def copied(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one's own to spoil."""
    return Path(shutil.copytree(run, tmp_path_factory.mktemp("rules") / "copy"))


def write(folder: Path, values: Any) -> None:
    if isinstance(values, dict):
        try:
            values = values | {"seal": seal_of(values)}
        except ValueError:  # a number or a character that JSON has not
            values = values | {"seal": ""}
    (folder / "headtune.json").write_text(json.dumps(values))


def test_a_run_holds_its_task_and_architecture(original: Values) -> None:
    assert original["format_version"] == 2
    assert original["task"] == "single-label"
    architecture = original["architecture"]
    assert (architecture["model_type"], architecture["direction"]) == ("llama", "causal")
    assert (architecture["windows"], architecture["head"]) == ([None, None], "score")
    assert architecture["packs"] is True
    of_format_2 = {"task", "architecture", "label_values", "coverage", "set_bound"}
    assert FIELDS.keys() | of_format_2 == original.keys()


WRONG: list[tuple[str, Any]] = [
    ("labels", ["a", "a"]), ("labels", ["a", 1]), ("labels", {"a": 1, "b": 2}),
    ("labels", ["a", "b" * 70_000]), ("base_model", None), ("base_model.name", ""),
    ("base_model.name", "x" * 5_000), ("base_model.name", 1), ("base_model.revision", "../main"),
    ("base_model.revision", "/etc/passwd"), ("base_model.revision", "a\nb"),
    ("base_model.sha256", "0" * 63), ("base_model.sha256", None), ("base_model.more", 1),
    ("base_model.model_type", "x" * 300), ("tune", {}), ("tune.tune", "last-" + "9" * 5_000),
    ("tune.tune", "last-0"), ("tune.tune", "last-²"), ("tune.tune", None), ("tune.lora_rank", 0),
    ("tune.lora_rank", True), ("tune.lora_rank", 2**17), ("tune.lora_alpha", "32"),
    ("tune.lora_alpha", 0), ("tune.lora_dropout", 1.0), ("tune.lora_dropout", -0.1),
    ("tune.lora_bias", "some"), ("tune.lora_targets", "attention"), ("tune.lora_targets", [[]]),
    ("tune.lora_targets", []), ("tune.lora_layers", "last-" + "9" * 5_000), ("tune.more", 1),
    ("pooling", "middle"), ("pooling", ["last"]), ("attention", "sideways"), ("max_length", 0),
    ("max_length", 2**31), ("max_length", True), ("max_length", 7.0), ("max_length", "7"),
    ("dtype", "float64"), ("packs", 1), ("temperature", 0), ("temperature", 1e308),
    ("temperature", True), ("temperature", "1"), ("thresholds", []), ("thresholds", {"prize": "1"}),
    ("thresholds", {"prize": 10**39}), ("thresholds", {"prize": True}), ("thresholds", {"x": 0.5}),
    ("thresholds", {"prize": -1}), ("abstain_below", -1), ("abstain_below", "0.5"),
    ("abstain_below", 2), ("coverage", 1.5), ("coverage", "0.9"), ("set_bound", -0.1),
    ("set_bound", 3), ("text_column", 1), ("label_column", []), ("template", "x" * 70_000),
    ("task", "several-label"), ("task", None), ("task", 1), ("task", "single_label_classification"),
    ("label_values", [1]), ("label_values", [1, 0]), ("label_values", "10"),
    ("label_values", [None, 1]), ("label_values", [[], {}]), ("label_values", [True, 10**39]),
    ("architecture", []), ("architecture", {}), ("architecture.direction", "sideways"),
    ("architecture.model_type", 1), ("architecture.more", 1), ("architecture.windows", [0]),
    ("architecture.windows", "6"),
    ("architecture.windows", [True]), ("architecture.position_offset", -1),
    ("architecture.position_offset", 1.5), ("architecture.has_token_types", 1),
    ("architecture.tokens_before", [None]), ("architecture.head", {}), ("architecture.packs", None),
    ("config", []), ("config.train", [1]), ("config.source", {}), ("config.train", {"x": {"y": 1}}),
    ("config.train", {"x": "y" * 70_000}), ("seeds", {"train": -1}), ("seeds", {"train": 10**39}),
    ("data_fingerprint", 1), ("data_fingerprint", "x" * 300), ("metrics", []),
    ("metrics", {"after": [0] * 20_000}), ("libraries", {"torch": 1}), ("files", {"a": 1}),
    ("files", {"..": "0"}), ("files", {"a/b": "0"}), ("files", {"a\\b": "0"}),
    ("files", {"x" * 300: "0"}), ("files", []), ("format_version", True), ("format_version", 0),
    ("format_version", 10**39), ("headtune_version", None), ("created", "x" * 300), ("more", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"), WRONG, ids=[f"{n}-{p}" for n, (p, _) in enumerate(WRONG)]
)
def test_a_field_that_is_not_what_it_may_be(
    original: Values, copied: Path, place: str, value: Any
) -> None:
    values = copy.deepcopy(original)
    *outer, name = place.split(".")
    inner = values
    for key in outer:
        inner = inner[key]
    inner[name] = value
    write(copied, values)
    with pytest.raises(ArtifactFormatError) as failed:
        Manifest.load(copied)
    message = str(failed.value)
    assert "\n" not in message
    assert len(message.replace(str(copied), "")) < 300
    assert name.rstrip("s") in message.replace("-", "_") or "newer headtune" in message


@pytest.mark.parametrize("name", [name for name in FIELDS if FIELDS[name].required])
def test_a_field_that_is_missing_is_named(original: Values, copied: Path, name: str) -> None:
    write(copied, {key: value for key, value in original.items() if key != name})
    with pytest.raises(ArtifactFormatError, match=name):
        Manifest.load(copied)


def test_a_task_of_a_later_headtune_has_a_way_out(original: Values, copied: Path) -> None:
    write(copied, original | {"task": "several-labels"})
    with pytest.raises(
        ArtifactFormatError, match="knows the task single-label; received"
    ) as failed:
        Manifest.load(copied)
    assert failed.value.way_out == "Upgrade: pip install -U headtune"


NAMES = [
    "/dev/zero", "/dev/stdin", "/dev/tty", "~nobody-here/x", "~", "x" * 300, "a/" * 2_000, "/", ".",
    "../../..", "/proc/kmsg", "/proc/self/mem", "\x1b]0;title\x07", "\u202egnp.exe", "a\nb", "-1",
    "https://example.org/x", "owner/name", "*" * 40, "C:\\x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_base_model_of_any_name(
    original: Values, copied: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not there, or it is another: never a hang, and never an error that is not ours."""
    write(copied, original | {"base_model": original["base_model"] | {"name": name}})
    start = time.process_time()
    assert describe_run(copied).base_model == name
    assert run_command(["info", str(copied)]) == 0
    with pytest.raises(HeadtuneError):
        load_artifact(copied)
    assert time.process_time() - start < 4 * SECONDS
    capsys.readouterr()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its keys or indices."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


strange = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from([10**39, -(2**63), "x" * 5_000, "last-" + "9" * 5_000, "/dev/zero", "~nobody"]),
    st.sampled_from(["single-label", "head", "lora", "full", "last-2", "float32", "F" * 64]),
    st.builds(lambda depth: json.loads("[" * depth + "]" * depth), st.integers(1, 80)),
    st.lists(st.none() | st.integers() | st.text(max_size=5), max_size=4),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.floats(), max_size=4),
)  # fmt: skip


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_manifests_are_read_or_refused(
    data: st.DataObject, original: Values, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = copy.deepcopy(original)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(values))))
        if data.draw(st.booleans()):
            container[key] = data.draw(strange)
        elif isinstance(container, dict):
            container[data.draw(st.text(max_size=9))] = container.pop(key)
        if not values:
            break
    write(copied, values)
    start = time.process_time()
    try:
        describe_run(copied)
        read = True
    except HeadtuneError:
        read = False
    assert time.process_time() - start < SECONDS
    if data.draw(st.integers(0, 9)) == 0:
        assert run_command(["info", str(copied)]) == (0 if read else 1)
        assert run_command(["info", str(copied), "--json"]) == (0 if read else 1)
        capsys.readouterr()
