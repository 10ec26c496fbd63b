"""Which words moved a decision: left out one by one, or by the gradient of the answer.

    occlusion.py   the text without each word, in one packed batch
    gradients.py   integrated gradients on the input embeddings, through Captum
    coloured.py    words in colour, as HTML
    page.py        explanations as one HTML file

An ``Explanation`` says what a classifier did, not what is true of the world: a word that moved an
answer may do so because of how the training data was collected.
"""

from headtune.explain.explanation import Explanation, WordEffect, explain
from headtune.explain.page import explanation_page

__all__ = ["Explanation", "WordEffect", "explain", "explanation_page"]
