"""curves.py: a picture of the right size with something on it, whatever the history holds."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from headtune.report.curves import draw_curves, smooth
from headtune.types import HistoryRow

BLUE, VERMILION, GREEN = (0, 0x72, 0xB2), (0xD5, 0x5E, 0), (0, 0x9E, 0x73)


def evaluation(step: int, loss: float, accuracy: float) -> HistoryRow:
    return {
        "step": step,
        "epoch": step / 50,
        "validation_loss": loss,
        "validation_accuracy": accuracy,
        "validation_macro_f1": accuracy,
    }


STEPS: list[HistoryRow] = [
    {"step": step, "epoch": step / 50, "loss": 0.1 + 1 / step, "learning_rate": 3e-4}
    for step in range(1, 101)
]
EVALUATIONS = [evaluation(0, 0.8, 0.5), evaluation(50, 0.2, 0.9), evaluation(100, 0.3, 0.92)]


def drawn(path: Path) -> npt.NDArray[np.uint8]:
    """The picture's pixels, shape ``(height, width, 3)``."""
    pixels: npt.NDArray[np.float32] = imread(path)
    return (255 * pixels[..., :3]).round().astype(np.uint8)


def has(pixels: npt.NDArray[np.uint8], color: tuple[int, int, int], least: int = 50) -> bool:
    return int((pixels == color).all(axis=-1).sum()) >= least


def test_a_full_history(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    draw_curves([*STEPS, *EVALUATIONS], path, title="a model on a table", kept_step=50)
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert (width, height) == (1500, 630)
    pixels = drawn(path)
    left, right = pixels[:, : width // 2], pixels[:, width // 2 :]
    assert has(left, BLUE)
    assert has(left, VERMILION)
    assert not has(left, GREEN, least=1)
    assert has(right, GREEN)
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.png"]


@pytest.mark.parametrize(
    ("history", "colors"),
    [
        ([], []),
        (STEPS[:1], [BLUE]),
        (EVALUATIONS[:1], [VERMILION, GREEN]),
        ([{"step": 1, "epoch": 1.0, "loss": 0.0}], [BLUE]),
        ([{"step": 1, "loss": 0.5}, {"step": 1, "validation_loss": 0.5}], [BLUE, VERMILION]),
        ([{"step": 1, "loss": None}], []),
        ([evaluation(1, 0.0, 1.0), evaluation(2, 0.0, 1.0)], [VERMILION, GREEN]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_history_is_drawn(
    tmp_path: Path, history: list[HistoryRow], colors: list[tuple[int, int, int]]
) -> None:
    path = tmp_path / "curves.png"
    draw_curves(history, path, kept_step=1)
    pixels = drawn(path)
    assert pixels.shape == (630, 1500, 3)
    assert (pixels != 255).any(), "the picture is blank"
    for color in (BLUE, VERMILION, GREEN):
        assert has(pixels, color) == (color in colors)


def test_the_kept_evaluation_has_a_ring_in_both_panels_and_a_name(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    panels = {}
    for kept_step in (None, 50, 51):
        draw_curves(EVALUATIONS, path, kept_step=kept_step)
        panels[kept_step] = np.split(drawn(path), 2, axis=1)  # loss, accuracy
    for panel, color in ((0, VERMILION), (1, GREEN)):
        without, ringed = (
            int((panels[kept_step][panel] == color).all(axis=-1).sum()) for kept_step in (None, 50)
        )
        assert ringed > without + 20
    # 51 is no evaluation.
    np.testing.assert_array_equal(panels[51], panels[None])


def test_the_same_history_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_curves(STEPS, tmp_path / name, title="same")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_title_is_taken_as_it_is(tmp_path: Path) -> None:
    """Dollar signs are no formula, and a long path does not leave the picture."""
    draw_curves(STEPS, tmp_path / "a.png", title=r"$\nonsense{$ on " + "folder/" * 40)
    pixels = drawn(tmp_path / "a.png")
    assert pixels.shape == (630, 1500, 3)
    assert (pixels[:, -5:] == 255).all()


def test_moving_average() -> None:
    np.testing.assert_allclose(smooth([3.0, 5.0, 1.0], 1), [3.0, 5.0, 1.0])
    np.testing.assert_allclose(smooth([2.0] * 5, 10), 2.0)
    # Span 3 keeps half: (4/2 + 1) / (1/2 + 1).
    np.testing.assert_allclose(smooth([4.0, 1.0], 3), [4.0, 2.0])
    assert smooth([], 3).shape == (0,)
    noise = np.random.default_rng(0).normal(size=400)
    assert smooth(noise.tolist(), 40)[100:].std() < 0.25


def test_matplotlib_is_left_alone_and_imported_by_nobody_else() -> None:
    """Importing the stage costs no matplotlib; drawing touches neither pyplot nor settings."""
    code = """
import sys, tempfile, pathlib
import headtune.report
assert "matplotlib" not in sys.modules
from headtune.report.curves import draw_curves
import matplotlib
before = matplotlib.rcParams.copy()
draw_curves([], pathlib.Path(tempfile.mkdtemp()) / "x.png")
assert matplotlib.rcParams.copy() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
