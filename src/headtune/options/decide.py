"""Options of decision: when a probability becomes an answer."""

from dataclasses import dataclass

from headtune.errors import ConfigError, option
from headtune.options.written import parse_shares

__all__ = ["DecideConfig"]


@dataclass(frozen=True, kw_only=True)
class DecideConfig:
    """When a probability becomes an answer."""

    threshold: tuple[str, ...] = ()
    """Probability from which a label is the answer: spam=0.9. Without one, the most probable
    label is."""

    target_precision: tuple[str, ...] = ()
    """Find a label's threshold on the validation part, for this share of its answers to be right:
    spam=0.99."""

    target_recall: tuple[str, ...] = ()
    """Find a label's threshold on the validation part, for this share of its texts to be found:
    spam=0.95."""

    abstain_below: float | None = None
    """Answer "unsure" where the most probable label is less probable than this, 0 to 1."""

    coverage: float | None = None
    """Answer with a set of labels, too, that holds the true one in this share of texts: 0.95. How
    large sets must be is measured on the validation part."""

    def __post_init__(self) -> None:
        if self.coverage is not None and not 0 < self.coverage < 1:
            raise ConfigError(
                f"{option('coverage')} must be between 0 and 1; received {self.coverage}.",
                option="coverage",
            )
        named: list[str] = []
        for name in ("threshold", "target_precision", "target_recall"):
            named += parse_shares(name, getattr(self, name))
        if twice := {label for label in named if named.count(label) > 1}:
            raise ConfigError(
                f"The label {min(twice)!r} can have one of {option('threshold')}, "
                f"{option('target_precision')} and {option('target_recall')}.",
                option="threshold",
            )
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise ConfigError(
                f"{option('abstain_below')} must be between 0 and 1; "
                f"received {self.abstain_below}.",
                option="abstain_below",
            )

    @property
    def needs_validation(self) -> bool:
        return bool(self.target_precision or self.target_recall)
