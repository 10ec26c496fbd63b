"""explain: for a classifier that was trained on a planted word, that word comes first."""

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from headtune import Predictor, TextClassifier
from headtune.cli.app import run
from headtune.errors import MissingDependencyError, PredictionError, option
from headtune.explain import Explanation, WordEffect, explain, explanation_page, gradients
from headtune.explain.explanation import Method
from headtune.explain.gradients import integrated_gradients
from headtune.tokens import encode_texts
from headtune.wording.word_spans import word_spans

WORDS = ("dinner", "station", "song", "people", "number", "meeting", "radio", "town", "holiday")
PLANTED = "prize"


def sentence(generator: np.random.Generator, planted: bool) -> str:
    words = generator.choice(WORDS, size=6).tolist()
    if planted:
        words[int(generator.integers(6))] = PLANTED
    return " ".join(words)


@pytest.fixture(scope="module")
def saved(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier whose label is whether the planted word is there."""
    generator = np.random.default_rng(0)
    labels = ["with" if n % 2 else "without" for n in range(400)]
    texts = [sentence(generator, label == "with") for label in labels]
    classifier = TextClassifier(
        str(tiny_llama), "full", epochs=6, learning_rate=3e-3, batch_size=16
    ).fit(texts, labels)
    fresh = [sentence(generator, n % 2 == 1) for n in range(100)]
    assert classifier.score(fresh, labels[:100]) > 0.95
    path = tmp_path_factory.mktemp("runs") / "planted"
    return classifier.save(path)


@pytest.fixture(scope="module")
def predictor(saved: Path) -> Predictor:
    return Predictor.load(saved)


@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_the_planted_word_comes_first(predictor: Predictor, method: Method) -> None:
    generator = np.random.default_rng(1)
    firsts = []
    for _ in range(10):
        found = explain(predictor, sentence(generator, planted=True), method=method, label="with")
        firsts.append(found.ranked[0].word)
        assert [word.word for word in found.words] == found.text.split()
    assert firsts == [PLANTED] * 10


@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_what_speaks_for_a_label_speaks_against_the_other(
    predictor: Predictor, method: Method
) -> None:
    text = "see the prize on the radio"
    for_it = explain(predictor, text, method=method, label="with")
    against = explain(predictor, text, method=method, label="without")
    effects = [word.effect for word in for_it.words]
    assert [word.effect for word in against.words] == pytest.approx([-e for e in effects], abs=1e-4)
    assert against.ranked[-1].word == PLANTED
    assert for_it.probability + against.probability == pytest.approx(1)
    assert explain(predictor, text, method=method).label == "with"


def test_occlusion_is_the_difference_that_the_word_makes(predictor: Predictor) -> None:
    text = "dinner  prize\nradio"
    found = explain(predictor, text)
    without = ["  prize\nradio", "dinner  \nradio", "dinner  prize\n"]
    p = predictor.predict_proba([text, *without])
    column = predictor.labels.names.index("with")
    odds = np.log(p[:, column] / (1 - p[:, column]))
    assert [word.effect for word in found.words] == pytest.approx(odds[0] - odds[1:], abs=1e-3)


def test_gradients_add_up_to_the_difference_from_the_mean_text(predictor: Predictor) -> None:
    """The completeness axiom, to the error of the steps; spaces are tokens of this tokenizer."""
    text = "prize dinner people radio station"
    column = predictor.labels.names.index("with")
    effects = integrated_gradients(predictor, text, word_spans(text), column)
    [example] = encode_texts([text], predictor.tokenizer, predictor.max_length)
    answer = gradients._AnswerFromEmbeddings(predictor, example, column)
    weight = predictor.classifier.backbone.get_input_embeddings().weight.detach()
    tokens = weight[torch.from_numpy(example.input_ids).long()][None]
    ends = [answer(x).item() for x in (weight.mean(dim=0).expand_as(tokens), tokens)]
    [p] = predictor.predict_proba([text])
    assert ends[1] == pytest.approx(np.log(p[column] / (1 - p[column])), abs=1e-3)
    assert effects.sum() == pytest.approx(ends[1] - ends[0], rel=0.1)


def test_gradients_do_not_depend_on_the_token_budget(predictor: Predictor) -> None:
    text = "prize dinner people radio"
    large = integrated_gradients(predictor, text, word_spans(text), 0)
    object.__setattr__(predictor, "max_tokens_per_batch", 1)
    assert integrated_gradients(predictor, text, word_spans(text), 0) == pytest.approx(
        large, abs=1e-4
    )


@pytest.mark.parametrize("text", ["prize", "I", "\u6211\u660e\u5929 prize", "a\u0301 \U0001f642"])
@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_odd_texts(predictor: Predictor, text: str, method: Method) -> None:
    found = explain(predictor, text, method=method)
    assert all(text[word.start : word.end] == word.word for word in found.words)
    assert np.isfinite([word.effect for word in found.words]).all()


@pytest.mark.parametrize("what", ["predict", "explain"])
def test_another_thread_gets_its_own_answer_meanwhile(predictor: Predictor, what: str) -> None:
    """It begins when the embeddings of the explained text are in the place of all others'."""
    text, other = "prize dinner people radio", "see you at the station for dinner tonight"

    def ask() -> npt.NDArray[np.float64]:
        if what == "predict":
            return predictor.predict_proba([other])
        return integrated_gradients(predictor, other, word_spans(other), 1)

    alone = integrated_gradients(predictor, text, word_spans(text), 0)
    expected = ask()
    with ThreadPoolExecutor(1) as pool:
        asked: list[Future[npt.NDArray[np.float64]]] = []

        def begin(module: torch.nn.Module, arguments: object) -> None:
            if not asked:
                asked.append(pool.submit(ask))
                wait(asked, timeout=1)

        hook = predictor.classifier.register_forward_pre_hook(begin)
        try:
            found = integrated_gradients(predictor, text, word_spans(text), 0)
        finally:
            hook.remove()
        assert asked[0].result(timeout=60) == pytest.approx(expected, abs=1e-5)
    assert found == pytest.approx(alone, abs=1e-5)


def test_tokens_belong_to_the_word_that_they_overlap_most() -> None:
    spans = [(1, 4), (6, 8), (8, 9)]  # of " abc  de\u660e "
    places = [(0, 0), (0, 1), (1, 3), (3, 8), (8, 9), (4, 6), (9, 10), (5, 7), (6, 9)]
    effects = [2.0**n for n in range(len(places))]
    by_word = gradients._by_word(np.array(effects), places, spans)
    assert by_word.tolist() == [2 + 4, 8 + 32 + 128 + 256, 16 + 64]


@pytest.mark.parametrize("work", ["tokens", "page"])
def test_the_time_for_a_long_text_grows_with_its_words(work: str) -> None:
    """Twenty thousand words; against each other they would take a minute."""
    n = 20_000
    text = " ".join(["word"] * n)
    spans = word_spans(text)
    start = time.perf_counter()
    if work == "tokens":
        gradients._by_word(np.ones(n), spans, spans)
    else:
        words = tuple(WordEffect("word", *span, 0.5) for span in spans)
        explanation_page([Explanation(text, "a", "a", 0.9, "occlusion", words)])
    assert time.perf_counter() - start < 10


def test_words_of_scripts_without_spaces_are_characters() -> None:
    assert word_spans("  \u6211\u660e abc") == [(2, 3), (3, 4), (5, 8)]


def test_mistakes_end_in_one_line(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["explain", str(saved), "a text", "--label", "eggs"]) == 1
    assert "There is no label 'eggs'; the labels are: with, without." in capsys.readouterr().err
    assert run(["explain", str(saved), " "]) == 1
    assert "empty" in capsys.readouterr().err
    assert run(["explain", str(saved)]) == 2
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    with pytest.raises(MissingDependencyError, match=r"headtune\[explain\]") as missing:
        explain(Predictor.load(saved), "a text", method="gradients")
    assert (
        missing.value.way_out == f"Or leave words out one by one: {option('method', 'occlusion')}."
    )
    with pytest.raises(PredictionError, match="empty") as refused:
        explain(Predictor.load(saved), "")
    assert refused.value.row == 1


class Page(HTMLParser):
    """What a page shows, and what it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.fetched: list[str] = []
        self.colours: dict[str, str] = {}
        self._style = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [tag for name in ("src", "href") if given.get(name)]
        self.fetched += [tag] * (tag == "script")
        self._style = (given.get("style") or "") if tag == "span" else ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._style:
            self.colours[data] = self._style
            self._style = ""


def test_the_command_prints_words_json_and_a_page(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "the <b>prize</b> & radio"
    assert run(["explain", str(saved), text, "--html", str(tmp_path)]) == 1
    assert f"Error: --html {tmp_path} cannot be written: " in capsys.readouterr().err
    page = tmp_path / "pages/why.html"
    assert run(["explain", str(saved), text, "--json", "--html", str(page)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["method"] == "occlusion"
    assert [word["word"] for word in printed["words"]] == text.split()
    read = Page(page.read_text(encoding="utf-8"))
    assert text in read.text
    assert read.fetched == []
    assert set(read.colours) == set(text.split())
    strongest = max(printed["words"], key=lambda word: abs(word["effect"]))
    colour = "46, 160, 67" if strongest["effect"] > 0 else "218, 54, 51"
    assert f"{colour}, 0.50" in read.colours[strongest["word"]]
    assert run(["explain", str(saved), "see the prize", "--label", "with"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("with  ")
    assert lines[1] == "see the prize"
    assert lines[2].split()[1] == "prize"


SPAM = Explanation(
    text="win <b>now</b>\n dinner a\x1b[2J",
    answer="ham",
    label="<spam>",
    probability=0.25,
    method="occlusion",
    words=(
        WordEffect("win", 0, 3, 2.0),
        WordEffect("<b>now</b>", 4, 14, -1.0),
        WordEffect("dinner", 16, 22, 0.01),
    ),
)


def test_in_a_notebook_it_is_a_fragment_in_colour() -> None:
    html = SPAM._repr_html_()
    read = Page(html)
    assert html.startswith('<div class="headtune-explanation"')
    assert not {"<html", "<body", "<style", "<script"} & {html[i : i + 7] for i in range(len(html))}
    assert SPAM.text.replace("\x1b", "\\x1b") in read.text
    assert "<spam>, 25.0 % (the answer is ham)" in read.text
    assert read.fetched == []
    assert "win +2.00, <b>now</b> -1.00, dinner +0.01" in read.text


def test_nothing_is_told_by_colour_alone() -> None:
    """Lines of two kinds, tooltips, and the effects in words."""
    read = Page(SPAM._repr_html_())
    assert "46, 160, 67, 0.50" in read.colours["win"]
    assert "218, 54, 51, 0.25" in read.colours["<b>now</b>"]
    assert "2px solid" in read.colours["win"]
    assert "2px dashed" in read.colours["<b>now</b>"]
    assert "2px" not in read.colours["dinner"]
    assert 'title="+2.00 for &lt;spam&gt;"' in SPAM._repr_html_()
    assert 'title="-1.00 against &lt;spam&gt;"' in SPAM._repr_html_()
    assert "for <spam>" in read.colours
    assert "against it" in read.colours


def test_without_html_it_is_plain_text() -> None:
    assert str(SPAM).split("\n") == [
        "<spam>, 25.0 %",
        "win <b>now</b>",
        " dinner a\\x1b[2J",
        "    +2.00  win",
        "    -1.00  <b>now</b>",
        "    +0.01  dinner",
    ]


def test_the_estimator_explains_too(saved: Path) -> None:
    classifier = TextClassifier.load(saved)
    found = classifier.explain("see the prize on the radio", label="without")
    assert (found.label, found.ranked[-1].word) == ("without", PLANTED)
    assert classifier.explain("see the prize").label == "with"
    with pytest.raises(PredictionError, match="no label 'other'"):
        classifier.explain("see the prize", label="other")
