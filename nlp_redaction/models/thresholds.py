"""How probable an identifier must be before a word is removed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How probable an identifier must be before a word is removed.

    Attributes:
        by_class: One threshold a class of ``features.classify_word``.
        hinted: The same, where a weaker rule points the same way.
        protected: The threshold for protected words.
    """

    by_class: tuple[float, ...]
    hinted: tuple[float, ...]
    protected: float = 0.97
