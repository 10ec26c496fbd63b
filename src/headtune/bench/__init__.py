"""How fast a model is on this machine, and how near that comes to what the machine can do."""

from headtune.bench.measure import bench, train_steps, untrained_predictor

__all__ = ["bench", "train_steps", "untrained_predictor"]
