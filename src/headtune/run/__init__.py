"""One run from table to folder: read ``train.py``, then ``loading.py`` and ``pipeline.py``."""

from headtune.run.train import plan_run, train_run

__all__ = ["plan_run", "train_run"]
