"""What an answer is: targets, loss, probabilities, decision, calibration, metrics, paired tests.

``task.py`` has the protocol that every stage asks, ``TASKS`` the tasks by the name that a manifest
has. What they share is in the other modules; no stage imports torch or scikit-learn by them until
it asks for what needs these.
"""

from collections.abc import Mapping
from types import MappingProxyType

from headtune.errors import ConfigError
from headtune.tasks.single_label import SINGLE_LABEL
from headtune.tasks.task import Figure, Task

__all__ = ["SINGLE_LABEL", "TASKS", "Figure", "Task", "task_named"]

TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in (SINGLE_LABEL,)})


def task_named(name: str) -> Task:
    """The task of a manifest. Raises ``ConfigError`` where there is none such."""
    found = TASKS.get(name)
    if found is None:
        raise ConfigError(f"There is no task {name!r}. There are: {', '.join(TASKS)}.")
    return found
