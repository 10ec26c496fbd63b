"""Texts alone and in company: by how much their answers differ, in both number formats.

A classifier with a trained head answers each text alone, all together, and in companies of 2 to 40
texts drawn at random. What differs is rounding: a matrix product of other shape adds up in another
order. The largest difference of a probability is printed, and how many texts got another label.
``exact`` is the same with ``--exact``, which is to differ by nothing.

The last line is one object of JSON.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from harness import finish, machine, parser, print_table, say, set_threads

FORMATS = ("float32", "bfloat16")
LARGEST_COMPANY = 40


def compare(given: argparse.Namespace) -> dict[str, Any]:
    """Table and JSON line."""
    from headtune.predict import Predictor

    about = machine(set_threads(given.threads))
    with TemporaryDirectory() as folder:
        run, texts = _run_and_texts(given, Path(folder) / "run")
        sides = {}
        for dtype in FORMATS:
            predictor = Predictor.load(run, dtype=dtype)
            sides[dtype] = _differences(predictor, texts, given.seed)
            few = texts[: max(1, len(texts) // 10)]
            sides[f"{dtype}, exact"] = _differences(replace(predictor, exact=True), few, given.seed)
    print_table(
        ("format", "texts", "alone", "a few", "other labels", "all at once", "one by one"),
        [
            (
                name,
                f"{side['texts']:,}",
                f"{side['alone']:.2g}",
                f"{side['a_few']:.2g}",
                f"{side['other_labels']}",
                f"{side['seconds_together']:.1f} s",
                f"{side['seconds_alone']:.1f} s",
            )
            for name, side in sides.items()
        ],
    )
    return {"benchmark": "company", "quick": given.quick, "machine": about, "sides": sides}


def _run_and_texts(given: argparse.Namespace, folder: Path) -> tuple[Path, list[str]]:
    """The run that is asked, made here unless one was given, and texts that it has not seen."""
    from headtune import TextClassifier
    from headtune.types import label_ids_of
    from workload import load_workload

    n_train = given.train
    work = load_workload(given, n_train + given.examples)
    texts = work.texts
    if given.run is not None:
        return Path(given.run), texts[n_train:]
    say(f"  training on {n_train} texts")
    labels = work.labels.decode(label_ids_of(work.examples[:n_train]))
    classifier = TextClassifier(given.model, given.tune, epochs=3, learning_rate=given.rate)
    return classifier.fit(texts[:n_train], labels).save(folder), texts[n_train:]


def _differences(predictor: Any, texts: Sequence[str], seed: int) -> dict[str, Any]:
    """Of probabilities: alone and in small companies, against all texts together."""
    start = time.perf_counter()
    together = predictor.predict_proba(texts)
    middle = time.perf_counter()
    alone = np.concatenate([predictor.predict_proba([text]) for text in texts])
    end = time.perf_counter()
    few = np.empty_like(together)
    for chosen in _companies(len(texts), seed):
        few[chosen] = predictor.predict_proba([texts[index] for index in chosen])
    others = (alone.argmax(1) != together.argmax(1)) | (few.argmax(1) != together.argmax(1))
    return {
        "texts": len(texts),
        "alone": float(np.abs(alone - together).max()),
        "a_few": float(np.abs(few - together).max()),
        "median_alone": float(np.median(np.abs(alone - together).max(axis=1))),
        "other_labels": int(others.sum()),
        "seconds_together": middle - start,
        "seconds_alone": end - middle,
    }


def _companies(n: int, seed: int) -> list[np.ndarray[Any, Any]]:
    """All of ``n`` texts, drawn into companies of 2 to ``LARGEST_COMPANY``."""
    generator = np.random.default_rng(seed)
    order, companies = generator.permutation(n), []
    while len(order):
        size = int(generator.integers(2, LARGEST_COMPANY))
        companies.append(order[:size])
        order = order[size:]
    return companies


def options() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    from workload import add_options

    found = parser(__doc__)
    add_options(found, examples=1000)
    found.add_argument("--run", default=None, help="a run folder to ask, instead of making one")
    found.add_argument("--tune", default="last-1", help="how the run that is made is tuned")
    found.add_argument("--rate", type=float, default=5e-4, help="its learning rate")
    found.add_argument("--train", type=int, default=1500, help="how many texts it is trained on")
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs it."""
    given = options().parse_args(sys.argv[1:] if arguments is None else arguments)
    if given.quick:
        given.examples, given.train = 20, 20
    return finish(compare(given))


if __name__ == "__main__":
    main()
