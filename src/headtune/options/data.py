"""Options of a table: how a table becomes labelled examples in three parts."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from headtune.errors import ConfigError, option
from headtune.options.ranges import check_at_least, check_seed
from headtune.options.written import parse_size, parse_weights

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

    label_file: Path | None = None
    """Labels of a text file that holds a text a line: the label of each, in the same line."""

    encoding: str = "utf-8"
    """Encoding of a text file. Byte order marks and UTF-16 are understood."""

    delimiter: str | None = None
    """What stands between the columns of a CSV or TSV file, one or several characters, or a name:
    tab, comma, semicolon, bar, space. Without quotes, only the first space of a line separates.
    Found from the file when not given."""

    quoting: Quoting = "auto"
    """"quoted" where quotes enclose fields, "none" where a quote is an ordinary character.
    "auto" looks."""

    quote: str | None = None
    """Character that encloses fields: " or ', as a rule. Found from the file when not given."""

    escape: str | None = None
    """Character that makes the quote or delimiter after it an ordinary character, as a rule a
    backslash. Found from the file when not given."""

    comment: str | None = None
    """Lines that begin so are left out, such as #. Found from the file when not given."""

    skip_lines: int | None = None
    """Lines above the header, or above the rows, to leave out. Found from the file when not
    given."""

    header: Header = "auto"
    """Whether the first line holds column names. "auto" looks."""

    missing: tuple[str, ...] = ()
    """Words that stand for no value in the text and label columns: NA,nan,NULL. As they are
    written, upper and lower case; such rows are set aside."""

    max_unpacked: int | str = "10GB"
    """What a packed file, an archive or a workbook may unpack to, such as 500MB or 100GB. More is
    an error, before memory or disk is gone."""

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
        parse_size("max_unpacked", self.max_unpacked)
        check_at_least(self, 0, "skip_lines")
        self._check_form()
        parse_weights("label_weight", self.label_weight)
        if self.label_weight and self.balance == "weights":
            raise ConfigError(
                f"{option('label_weight')} and {option('balance', 'weights')} both weigh labels in "
                "the loss.",
                option="label_weight",
                way_out="Keep one of them.",
            )

    def _check_form(self) -> None:
        for name in ("quote", "escape"):
            value = getattr(self, name)
            if value is not None and (len(value) != 1 or value.isalnum() or value.isspace()):
                raise ConfigError(
                    f"{option(name)} takes one character that is no letter, digit or space; "
                    f"received {value!r}.",
                    option=name,
                )
        if self.comment is not None and not self.comment.strip():
            raise ConfigError(
                f"{option('comment')} takes what comments begin with; received {self.comment!r}.",
                option="comment",
            )
        if self.quote is not None and self.quoting == "none":
            raise ConfigError(
                f"{option('quote')} says what encloses fields, {option('quoting', 'none')} that "
                "nothing does.",
                option="quote",
                way_out="Keep one of them.",
            )

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Columns that are known from another table of the run; see ``knowing``."""
        return ()

    def knowing(self, *columns: str | None) -> "DataConfig":
        """The same for a table that is likely to have columns of these names, as another had."""
        given = {field.name: getattr(self, field.name) for field in fields(DataConfig)}
        return _KnowingConfig(**given, columns=tuple(name for name in columns if name is not None))


@dataclass(frozen=True, kw_only=True)
class _KnowingConfig(DataConfig):
    """Options, and what a run knows beyond them: no option, since nobody has to give it."""

    columns: tuple[str, ...]

    @property
    def trained_on(self) -> tuple[str, ...]:
        return self.columns
