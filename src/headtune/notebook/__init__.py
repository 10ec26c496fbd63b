"""Jupyter, VS Code, Colab: what a long job shows below the cell that asked for it.

    kernel.py    whether this process is a notebook's kernel, and an output that can be replaced
    bar.py       ``NotebookProgress``: stage, bar, rates, time left, and the line that remains
    listener.py  who hears a library function: a bar in a notebook, nobody elsewhere

What a report or an explanation looks like in a notebook is in ``report/page`` and ``explain``.
"""

from headtune.notebook.bar import NotebookProgress
from headtune.notebook.kernel import in_notebook
from headtune.notebook.listener import Listener, listening

__all__ = ["Listener", "NotebookProgress", "in_notebook", "listening"]
