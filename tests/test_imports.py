"""Imports go one way, down the pipeline; and the front door has what it says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import headtune

PACKAGE = Path(headtune.__file__).parent
ORDER = [
    "errors", "types", "progress", "processes", "quiet",
    "options", "wording", "notebook", "files", "tasks", "data", "pretrained", "tokens", "batches",
    "model", "training", "artifact", "predict", "explain", "export", "report", "inspection", "run",
    "classifier", "sweep", "bench", "cli",
]  # fmt: skip
"""Each may import those to its left, and itself."""


def modules_of_headtune(path: Path) -> Iterator[str]:
    """``data``, ``errors``, … for every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for package, _, rest in (name.partition(".") for name in names):
            if package == "headtune" and rest:
                yield rest.split(".")[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_a_stage_imports_only_earlier_stages(path: Path) -> None:
    importer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if importer in ("__init__", "__main__"):  # the two front doors
        return
    assert importer in ORDER, f"{importer} has no place in the order of the pipeline"
    allowed = ORDER[: ORDER.index(importer) + 1]
    assert set(modules_of_headtune(path)) <= set(allowed)


def test_all_is_sorted_and_is_what_can_be_imported() -> None:
    assert headtune.__all__ == sorted(headtune.__all__)
    assert [name for name in headtune.__all__ if not hasattr(headtune, name)] == []
    assert set(dir(headtune)) == set(headtune.__all__)


OF_ONE_TASK = {
    "argmax", "log_softmax", "logsumexp", "softmax",
    "binary_cross_entropy_with_logits", "cross_entropy", "CrossEntropyLoss",
    "classification_metrics", "sklearn.metrics",
}  # fmt: skip
"""What knows how labels come out of logits, or what a good answer is: a task's business."""

NOT_OVER_LABELS = {
    "model/attention/kernels.py": "attention",
    "model/attention/packed.py": "attention",
    "export/padded.py": "attention",
    "explain/gradients.py": "the word that a token overlaps most",
    "export/causal_lm.py": "over a vocabulary",
    "export/gguf_file.py": "over a vocabulary",
}


def names_in_code(path: Path) -> set[str]:
    """Every name, attribute, import and module imported from; comments and strings left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            names.update((node.module or "", *(alias.name for alias in node.names)))
    return names


def test_only_a_task_knows_how_labels_come_out_of_logits() -> None:
    found = {
        str(path.relative_to(PACKAGE)): known
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "tasks"
        and (known := names_in_code(path) & OF_ONE_TASK)
    }
    assert {path: known for path, known in found.items() if path not in NOT_OVER_LABELS} == {}
    assert set(NOT_OVER_LABELS) == set(found), "a file is excused that has nothing of it"
