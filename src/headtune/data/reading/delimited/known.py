"""What is known of a table's columns before it is looked at: the names that its options mention.

A header that holds the name of the text is a header, whatever stands below it.
"""

from headtune.options import DataConfig
from headtune.wording.templates import Template

__all__ = ["known_names"]


def known_names(config: DataConfig) -> frozenset[str]:
    """Names of columns that ``config`` mentions, and those that a classifier was trained on."""
    given = [
        config.text,
        config.label,
        config.group_by,
        config.split_by_time,
        config.split_column,
        *_fields(config.template),
        *config.trained_on,
    ]
    return frozenset(name for name in given if name)


def _fields(template: str | None) -> list[str]:
    """Of a template; none where it cannot be read, which is said where it is used."""
    if template is None:
        return []
    try:
        return Template.parse(template).fields
    except ValueError:
        return []
