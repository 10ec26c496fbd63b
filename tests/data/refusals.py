"""What a table that is refused is told: one line, the same whether it is read whole or streamed."""

import pytest

from headtune.data import iter_tables, read_table
from headtune.errors import DataError
from headtune.options import DataConfig

__all__ = ["error_of"]

AUTO = DataConfig()


def error_of(source: object, config: DataConfig = AUTO) -> str:
    """The message. Fails where the source is read."""
    with pytest.raises(DataError) as raised:
        read_table(source, config)
    message = str(raised.value)
    assert "\n" not in message
    with pytest.raises(DataError) as raised:
        list(iter_tables(source, config))
    assert str(raised.value) == message
    return message
