"""compare.py, answers.py, contenders.py and the command: the same texts, or an error."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from headtune import RunConfig, train_run
from headtune.cli.app import run as headtune
from headtune.errors import ArtifactFormatError, PredictionError
from headtune.report.answers import Answers, read_answers, write_answers
from headtune.report.compare import compare_answers, holm
from headtune.report.entries import ComparedRuns, Costs
from headtune.report.page import comparison_page
from headtune.types import Example, LabelSet
from tests_support import TEXTS, TOPICS
from typed_values import misfits

HAM_SPAM = LabelSet(("ham", "spam"))


def answers(
    texts: str, truth: str, said: str, *, labels: LabelSet = HAM_SPAM, sure: float = 0.9
) -> Answers:
    """One letter a text: its content; h or s, truly; h or s, as answered."""
    name = {"h": "ham", "s": "spam"}
    ids = [labels.label2id[name[letter]] for letter in truth]
    chosen = [labels.label2id[name[letter]] for letter in said]
    examples = [
        Example(text, label, row) for row, (text, label) in enumerate(zip(texts, ids, strict=True))
    ]
    probabilities = (2 * sure - 1) * np.eye(2)[chosen] + (1 - sure)
    return Answers.of(examples, probabilities, labels)


def test_figures_of_a_hand_made_comparison() -> None:
    result = compare_answers(
        {"a": answers("uvwx", "hhss", "hhsh"), "b": answers("uvwx", "hhss", "shss", sure=0.6)},
        listed=1,
    )
    assert [run["accuracy"] for run in result["runs"]] == [0.75, 0.75]
    (pair,) = result["pairs"]
    assert (pair["only_first_right"], pair["only_second_right"], pair["p_value"]) == (1, 1, 1.0)
    assert result["n"] == 4
    assert result["n_disagreements"] == 2
    (row,) = result["disagreements"]  # on u: 0.9 against 0.4; on x: 0.1 against 0.6
    assert row["text"] in ("u", "x")
    assert {answer["run"] for answer in row["answers"]} == {"a", "b"}
    assert "do equally well" in result["sentence"]


def test_only_common_texts_count_and_repeats_pair_one_to_one() -> None:
    first = answers("uuvw", "hhhs", "hhhs")
    second = answers("xwuuu", "hshhs", "hssss")
    result = compare_answers({"a": first, "b": second}, listed=9)
    assert result["n"] == 3  # u, u, w; the third u has another label
    assert result["left_out"] == {"a": 1, "b": 2}
    assert result["pairs"][0]["only_first_right"] == 2
    assert [row["text"] for row in result["disagreements"]] == ["u", "u"]
    assert "a does best" in result["sentence"]


def test_the_order_of_labels_and_runs_does_not_matter() -> None:
    turned = LabelSet(("spam", "ham"))
    a, b = answers("uvwx", "hhss", "hhsh"), answers("uvwx", "hhss", "ssss", labels=turned)
    one = compare_answers({"a": a, "b": b}, listed=9)
    other = compare_answers({"b": b, "a": a}, listed=9)
    assert one["runs"][1]["accuracy"] == 0.5
    assert one["sentence"] == other["sentence"]
    assert one["pairs"][0]["difference"] == -other["pairs"][0]["difference"] == 0.25
    assert one["n_disagreements"] == other["n_disagreements"] == 3


def test_the_order_of_runs_changes_no_figure() -> None:
    """30 texts that only one gets right, 17 that only the other does; and two that are as good."""
    n = 503
    texts = "".join(chr(0x4E00 + place) for place in range(n))
    truth = "h" * n
    a = answers(texts, truth, "h" * 30 + "s" * 17 + "h" * (n - 47))
    b = answers(texts, truth, "s" * 30 + "h" * (n - 30))
    forth = compare_answers({"a": a, "b": b, "c": b}, listed=0)
    back = compare_answers({"c": b, "b": b, "a": a}, listed=0)
    assert forth["sentence"] == back["sentence"]
    by_names = {(pair["first"], pair["second"]): pair for pair in back["pairs"]}
    for pair in forth["pairs"]:
        other = by_names[pair["second"], pair["first"]]
        assert pair["interval"] == [-end for end in reversed(other["interval"])]
        assert pair["difference"] == -other["difference"]
        assert pair["adjusted_p_value"] == other["adjusted_p_value"]


def test_the_most_probable_label_is_the_answer_however_unsure() -> None:
    unsure = answers("uv", "hs", "hs", sure=0.501)
    result = compare_answers({"a": unsure, "b": answers("uv", "hs", "ss")}, listed=1)
    assert [run["accuracy"] for run in result["runs"]] == [1.0, 0.5]


@pytest.mark.parametrize(
    ("contenders", "said"),
    [
        ({"a": answers("u", "h", "h")}, "two runs"),
        ({"a": answers("u", "h", "h"), "b": answers("v", "h", "h")}, "held-back.csv"),
        (
            {
                "a": answers("u", "h", "h"),
                "b": Answers.of([Example("u", 0, 1)], np.eye(2)[:1], LabelSet(("x", "y"))),
            },
            "b answers with x, y",
        ),
    ],
)
def test_what_cannot_be_compared(contenders: dict[str, Answers], said: str) -> None:
    with pytest.raises(PredictionError, match=said):
        compare_answers(contenders, listed=1)


def test_holm_agrees_with_statsmodels() -> None:
    p_values = [0.01, 0.04, 0.03, 0.8, 0.005, 0.03]
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


def test_answers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    parts = {"validation": answers("u", "h", "s"), "test": answers("vw", "hs", "hs")}
    write_answers(parts, path)
    read = read_answers(path)
    assert list(read) == ["validation", "test"]
    for part, kept in parts.items():
        assert read[part].labels == kept.labels
        assert (read[part].hashes, read[part].texts) == (kept.hashes, kept.texts)
        np.testing.assert_array_equal(read[part].label_ids, kept.label_ids)
        np.testing.assert_allclose(read[part].probabilities, kept.probabilities, atol=1e-7)
    path.write_bytes(b"no parquet")
    with pytest.raises(ArtifactFormatError):
        read_answers(path)


@pytest.fixture(scope="module")
def folder(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on the same table, and one that kept no predictions."""
    made = tmp_path_factory.mktemp("compared")
    rows = [f"{text},{topic}" for text, topic in zip(TEXTS, TOPICS, strict=True)]
    (made / "messages.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    for name, tune, keeps in (("a", "head", True), ("b", "last-1", True), ("c", "head", False)):
        values = {
            "source": str(made / "messages.csv"),
            "model": {"model": str(tiny_llama)},
            "tune": {"tune": tune},
            "train": {"max_steps": 2},
            "report": {"page": False, "predictions": keeps},
        }
        train_run(RunConfig.from_dict(values), out=made / name)
    return made


def compared(
    capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0
) -> tuple[str, str]:
    assert headtune(["compare", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_kept_answers_and_a_table_agree(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, _ = compared(capsys, folder / "a", folder / "b", "--json")
    result: dict[str, Any] = json.loads(kept)
    assert misfits(result, ComparedRuns) == []
    report = json.loads((folder / "a/report.json").read_text())
    accuracy = report["after"]["test"]["accuracy"]
    assert result["runs"][0]["accuracy"] == pytest.approx(accuracy)
    assert result["n"] == report["after"]["test"]["n"]
    table = folder / "messages.csv"
    page = tmp_path / "pages/c.html"
    asked = compared(capsys, folder / "a", folder / "b", folder / "c", table, "--html", page)
    assert "40 texts" in asked[0]
    assert "texts/s" in asked[0]
    html = page.read_text(encoding="utf-8")
    assert "adjusted for 3 comparisons" in html
    assert html.count("<svg") == 1
    _, error = compared(capsys, folder / "a", folder / "b", "--html", tmp_path, code=1)
    assert error.startswith(f"Error: --html {tmp_path} cannot be written: ")


def test_runs_that_cannot_be_compared_say_so_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for runs, said in (
        (("a", "c"), "--no-predictions"),
        (("a", "a"), "with itself"),
        (("a", "nowhere"), "There is no run folder"),
    ):
        _, err = compared(capsys, *(folder / run for run in runs), code=1)
        assert err.startswith("Error: ")
        assert said in err
        assert err.count("\n") == 1
    compared(capsys, folder / "a", code=2)


def test_a_page_shows_texts_as_texts() -> None:
    enemy = "<script>alert(1)</script>"
    examples = [Example(enemy, 0, 1)]
    first = Answers.of(examples, np.array([[0.9, 0.1]]), HAM_SPAM)
    second = Answers.of(examples, np.array([[0.1, 0.9]]), HAM_SPAM)
    cost: Costs = {
        "model": enemy,
        "tune": "head",
        "total_parameters": None,
        "trainable_parameters": None,
        "folder_bytes": 10,
        "run_seconds": None,
        "train_examples_per_second": None,
    }
    comparison = compare_answers({enemy: first, "b": second}, listed=5)
    page = comparison_page({**comparison, "source": enemy, "costs": {enemy: cost, "b": cost}})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 5
