"""Three grades of repeats, found among texts that are alike and texts that are not."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_texts import made_texts, words
from tweets import TWEETS, needs_tweets

from headtune.data import find_columns, find_repeats, read_table, usable_rows
from headtune.data.repeats.normal_form import fold, normal_form
from headtune.data.repeats.repeats import connected
from headtune.data.repeats.shingles import SHINGLE, THRESHOLD, overlapping_pairs
from headtune.options import DataConfig


def jaccard(first: str, second: str) -> float:
    a, b = (
        {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)} for text in (first, second)
    )
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fire in the hills http://t.co/abc", "fire in the hills https://t.co/xyz?a=1#b"),
        ("FIRE  in\tthe hills", " fire in the hills\n"),
        ("fire in the hills", "\N{FULLWIDTH LATIN CAPITAL LETTER F}ire in the hills"),
        ("fire www.a.example now", "fire now"),
    ],
)
def test_links_case_and_spacing_are_folded(one: str, other: str) -> None:
    folded = fold([one, other]).to_pylist()
    assert folded[0] == folded[1]
    repeats = find_repeats([one, other])
    assert repeats.exact.tolist() == [0, 1]
    assert repeats.folded.tolist() == repeats.near.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Your code is 1234.", "your code is 99"),
        ("Rock &amp; roll!!!", "rock & roll"),
        ("...so, it is", "so it is"),
    ],
)
def test_digits_entities_and_punctuation_are_near(one: str, other: str) -> None:
    repeats = find_repeats([one, other])
    assert repeats.folded.tolist() == [0, 1]
    assert repeats.near.tolist() == [0, 0]


@pytest.mark.parametrize("text", ["नमस्ते दुनिया", "你好世界", "مرحبا بالعالم", "żółć"])
def test_no_alphabet_is_lost(text: str) -> None:
    assert normal_form(fold([text])).to_pylist() == [text]


def test_texts_of_which_nothing_is_left_repeat_only_themselves() -> None:
    texts = ["http://a.example/1", "http://a.example/2", "!!!", "???", "12", "13", "12", "", "!!!"]
    repeats = find_repeats(texts)
    assert repeats.near.tolist() == [0, 1, 2, 3, 4, 5, 4, 6, 2]
    assert repeats.count("exact") == repeats.count("near") == 2


def test_no_texts_and_one_text() -> None:
    assert find_repeats([]).count("near") == 0
    assert find_repeats(["a"]).near.tolist() == [0]


def test_an_edited_text_is_near_and_a_short_one_is_not() -> None:
    generator = np.random.default_rng(0)
    (text,) = made_texts(1, generator)
    edited = text.rsplit(" ", 1)[0] + " instead"
    assert find_repeats([text, edited]).near.tolist() == [0, 0]
    assert find_repeats(["how are you man", "now are you man"]).near.tolist() == [0, 1]


def test_pairs_are_all_those_above_the_threshold_and_no_other() -> None:
    generator = np.random.default_rng(1)
    texts = made_texts(300, generator)
    for text in texts[:200]:  # copies with one to three of fifteen words replaced
        copy = text.split()
        for place in generator.choice(15, generator.integers(1, 4), replace=False):
            copy[place] = words(generator, 1)[0]
        texts.append(" ".join(copy))
    found = {tuple(sorted(pair)) for pair in overlapping_pairs(texts).tolist()}
    expected = {(i, 300 + i) for i in range(200) if jaccard(texts[i], texts[300 + i]) >= THRESHOLD}
    assert 50 < len(expected) < 150
    assert found <= expected
    assert len(found) >= 0.99 * len(expected)


def test_many_like_texts_are_one_group() -> None:
    generator = np.random.default_rng(2)
    (base,) = made_texts(1, generator)
    texts = [f"{base} {ending}" for ending in words(generator, 400)]
    texts += made_texts(400, generator)
    groups = find_repeats(texts).near
    assert (groups[:400] == 0).all()
    assert len(np.unique(groups[400:])) == 400


@pytest.mark.parametrize("size", [1, 10**5])
def test_chunks_do_not_change_what_is_found(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    texts = made_texts(20, generator)
    texts += [f"{text} more" for text in texts]
    expected = overlapping_pairs(texts).tolist()
    assert len(expected) == 20
    monkeypatch.setattr("headtune.data.repeats.shingles.CHARACTERS_PER_CHUNK", size)
    monkeypatch.setattr("headtune.data.repeats.shingles.PAIRS_PER_CHUNK", 7)
    assert overlapping_pairs(texts).tolist() == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_each_grade_contains_the_one_before(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    repeats = find_repeats(texts)
    grades = [repeats.exact, repeats.folded, repeats.near]
    for finer, coarser in pairwise(grades):
        pairs = np.unique(np.stack([finer, coarser]), axis=1)
        assert len(pairs.T) == len(np.unique(finer))
    for grade in grades:
        assert numbered_by_first_rows(grade)


def numbered_by_first_rows(groups: npt.NDArray[np.int64]) -> bool:
    first = np.unique(groups, return_index=True)
    return first[0].tolist() == list(range(len(first[0]))) and bool((np.diff(first[1]) > 0).all())


def test_connected_groups_chains() -> None:
    pairs = np.array([[4, 1], [1, 3], [0, 5]])
    assert connected(6, pairs).tolist() == [0, 1, 2, 1, 1, 0]


def test_spam_repeats() -> None:
    table = read_table("sms-spam", DataConfig())
    texts = usable_rows(table, find_columns(table, DataConfig()), DataConfig()).texts
    repeats = find_repeats(texts)
    assert repeats.count("exact") == 403
    assert repeats.count("near") == pytest.approx(627, abs=5)


@needs_tweets
def test_tweet_repeats() -> None:
    config = DataConfig(text="text", label="target")
    table = read_table(TWEETS, config)
    texts = usable_rows(table, find_columns(table, config), config).texts
    repeats = find_repeats(texts)
    assert repeats.count("exact") == 110
    assert repeats.count("folded") == 664
    assert repeats.count("near") == pytest.approx(1_154, abs=10)
