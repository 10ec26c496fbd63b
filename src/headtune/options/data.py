"""Options of a table: how a table becomes labelled examples in three parts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headtune.errors import ConfigError, option
from headtune.options.ranges import check_seed
from headtune.options.written import parse_weights

__all__ = ["Balance", "DataConfig", "Header", "Quoting"]

Balance = Literal["none", "undersample", "oversample", "weights"]
Quoting = Literal["auto", "quoted", "none"]
Header = Literal["auto", "yes", "no"]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How a table becomes labelled examples in three parts."""

    text: str | None = None
    """Column that holds the text. Found by itself when only one column can be it."""

    label: str | None = None
    """Column that holds the label. Found by itself when only one column can be it."""

    template: str | None = None
    """Joins several columns into the text: "{keyword}: {text}". Names columns in braces."""

    encoding: str = "utf-8"
    """Encoding of a text file. A byte order mark is understood."""

    delimiter: str | None = None
    """Character between the columns of a CSV or TSV file, or its name: tab, comma, semicolon, bar.
    Found from the file when not given."""

    quoting: Quoting = "auto"
    """"quoted" where quotes enclose fields, "none" where a quote is an ordinary character.
    "auto" looks."""

    header: Header = "auto"
    """Whether the first line holds column names. "auto" looks."""

    missing: tuple[str, ...] = ()
    """Words that stand for no value in the text and label columns: NA,nan,NULL. As they are
    written, upper and lower case; such rows are set aside."""

    split: str = "70/10/20"
    """Percent of rows for training / validation / test. Validation or test may be 0."""

    group_by: str | None = None
    """Column whose equal values stay in one part: the author, the customer, the conversation.
    Near repeats of a text do so by themselves."""

    split_by_time: str | None = None
    """Column that says when: the oldest rows train, the newest test. Instead of a random split."""

    split_column: str | None = None
    """Column that says the part of each row: train, validation (or valid, val, dev), test."""

    validation_file: Path | None = None
    """A table of its own for validation, with the same columns."""

    test_file: Path | None = None
    """A table of its own for testing, with the same columns."""

    balance: Balance = "none"
    """What to do about labels of unequal number: nothing, drop rows of the larger labels (before
    the split), repeat rows of the smaller ones (training part), or weigh the loss."""

    label_weight: tuple[str, ...] = ()
    """Weights of labels in the loss, as you want them: spam=3. Those that are not named weigh 1."""

    split_seed: int = 42
    """Seed of the split and of sampling for balance."""

    strict: bool = False
    """Stop at the first row that cannot be used, instead of setting it aside."""

    save_split: bool = False
    """Keep the three parts as train.csv, validation.csv and test.csv in the run folder."""

    def __post_init__(self) -> None:
        check_seed(self, "split_seed")
        parse_weights("label_weight", self.label_weight)
        if self.label_weight and self.balance == "weights":
            raise ConfigError(
                f"{option('label_weight')} and {option('balance', 'weights')} both weigh labels in "
                "the loss.",
                option="label_weight",
                way_out="Keep one of them.",
            )
