"""Tables of rules: the first row whose condition holds gives the score and the reason.

``explain`` shows the reason of the row that decided, so a table is written to be read: a
row a fact, in the order in which the facts overrule one another.
"""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

View = TypeVar("View")
"""What the conditions of a table ask: the surroundings of one stretch of a text."""


class Rule(NamedTuple, Generic[View]):
    """One row of a table.

    Attributes:
        applies: The condition; its answer counts as true or false.
        score: What the row scores; 0 for no identifier. See ``spans.STANDS_ALONE``.
        reason: Why, in a few words that never quote the text.
    """

    applies: Callable[[View], object]
    score: float
    reason: str


class Score(NamedTuple):
    """What a table says of one stretch."""

    score: float
    reason: str


NO_SCORE = Score(0.0, "")
"""The answer of a table none of whose rows applies."""


def score_by(rules: Sequence[Rule[View]], view: View) -> Score:
    """Return the score and the reason of the first row that applies."""
    for applies, score, reason in rules:
        if applies(view):
            return Score(score, reason)
    return NO_SCORE


def always(_: object) -> bool:
    """Be the condition of a last row, which decides whatever is left."""
    return True
