"""Stage 7, artifact and texts to predictions: a few texts in memory, or tables of any size."""

from headtune.predict.bulk import evaluate_file, predict_file, predict_table
from headtune.predict.predictor import Predictor

__all__ = ["Predictor", "evaluate_file", "predict_file", "predict_table"]
