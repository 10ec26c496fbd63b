"""``TextClassifier``: headtune as a scikit-learn estimator.

text_classifier.py  the estimator: fit, predict, score, save, load
examples.py         texts and labels in memory -> parts, near repeats kept together
labels.py           labels as the caller has them, and their names
weights.py          weights of texts and of labels
parameters.py       the estimator's parameters <-> options, stage by stage
"""

from headtune.classifier.text_classifier import TextClassifier

__all__ = ["TextClassifier"]
