"""Which texts become golden probes."""

from headtune.artifact.probes import MAX_CHARACTERS, choose_probes
from headtune.types import Example


def examples_of(lengths: list[int]) -> list[Example]:
    return [
        Example(text=chr(97 + row % 26) * (length - 1) + str(row % 10), label=row % 2, row=row + 1)
        for row, length in enumerate(lengths)
    ]


def test_short_texts_leave_their_share_to_long_ones() -> None:
    probes = choose_probes(examples_of([10] * 8 + [5_000] * 8), n_labels=2, seed=0)
    assert sum(map(len, probes)) == MAX_CHARACTERS
    assert {len(text) for text in probes} == {10, (MAX_CHARACTERS - 80) // 8}


def test_texts_within_the_bound_stay_whole() -> None:
    rows = examples_of([20] * 8 + [40] * 8)
    assert set(choose_probes(rows, n_labels=2, seed=0)) == {row.text for row in rows}


def test_all_labels_are_among_the_probes() -> None:
    rows = examples_of([30] * 200)
    label_of = {row.text: row.label for row in rows}
    assert {label_of[text] for text in choose_probes(rows, n_labels=2, seed=3)} == {0, 1}
