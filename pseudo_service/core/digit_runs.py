"""Which runs of digits may be a patient's number, in every place that must ask.

An NHS number has ten digits (NHS Data Dictionary, NHS NUMBER); a person writes it in
one piece, in groups or with signs between them. A place that repeats or keeps a text
refuses a run, or withholds it. The places differ in what else they hold, so they
differ in what may stand between two digits and in the length that they let pass.
Each row of the table says why.

The module imports nothing of the service: the command line loads it at every start.
"""

import re
from typing import Final, NamedTuple

_NOTHING: Final = ""
_A_DASH: Final = r"-?"
_A_SPACE_OR_DASH: Final = r"[ -]?"
_ANY_SPACE_OR_DASH: Final = r"[\s-]?"
_TWO_SIGNS: Final = r"[^0-9A-Za-z]{0,2}"
"""Signs, spaces of every kind, and digits of other scripts."""


class DigitRun(NamedTuple):
    """One row of the table.

    Attributes:
        place: The text that is searched.
        pattern: Finds a run. A digit of any script is a digit.
        least: The digits of the shortest run.
        between: What may stand between two digits of a run.
        why: Why this place has this length and tolerates these signs.
    """

    place: str
    pattern: re.Pattern[str]
    least: int
    between: str
    why: str

    def is_in(self, text: str) -> bool:
        """Return whether the text has such a run."""
        return self.pattern.search(text) is not None

    def replace(self, text: str, mark: str) -> str:
        """Return the text with ``mark`` for each run.

        Args:
            text: The text to search.
            mark: Stands for a run; it has no backslash.
        """
        return self.pattern.sub(mark, text)


def _row(place: str, *, least: int, between: str, why: str) -> DigitRun:
    pattern = re.compile(rf"\d(?:{between}\d){{{least - 1},}}")
    return DigitRun(place=place, pattern=pattern, least=least, between=between, why=why)


COLUMN_NAME: Final = _row(
    "a column's name in a message",
    least=5,
    between=_NOTHING,
    why="A file without a header line has values for names. A name may hold a year; "
    "five digits are no year.",
)
INPUT_FILE_NAME: Final = _row(
    "an input file's name in a message",
    least=5,
    between=_NOTHING,
    why="A file may have a patient's name or number. A name may hold a date with "
    "dashes, so dashes end a run.",
)
STATED_TEXT: Final = _row(
    "a purpose, or a text of a linkage request",
    least=6,
    between=_A_SPACE_OR_DASH,
    why="The audit trail keeps it for ever. It needs no number: six digits in groups "
    "may be a date of birth.",
)
STATED_TEXT_BROKEN: Final = _row(
    "a purpose, or a text of a linkage request, with other signs between",
    least=8,
    between=_TWO_SIGNS,
    why="999.000.0018 and 12/03/1961 are caught as well: a day, a month and a year have "
    "eight digits together.",
)
JUSTIFICATION: Final = _row(
    "a title, a reason or a reference that a custodian gives",
    least=9,
    between=_TWO_SIGNS,
    why="References of orders have digits and years of their own: only nine and more "
    "can be a patient's number.",
)
PROJECT_ID: Final = _row(
    "a project's id",
    least=9,
    between=_A_DASH,
    why="An id stands in every log and audit event. It may end in a date of eight "
    "digits. A dash is its only sign.",
)
OPERATION_ID: Final = _row(
    "an operation's id that is no UUID",
    least=9,
    between=_A_DASH,
    why="A pipeline may put the time of its run into the id, as a date of eight digits. "
    "A dash is its only sign.",
)
TYPED_TEXT: Final = _row(
    "a word of a command line in an error message",
    least=6,
    between=_ANY_SPACE_OR_DASH,
    why="A person may type a number where its file is wanted. Dots, slashes and colons "
    "part the numbers of paths and addresses, so they end a run.",
)
LOG_TEXT: Final = _row(
    "a text of the service's own in a log line",
    least=6,
    between=_A_SPACE_OR_DASH,
    why="Codes and places of the source have at most five digits together.",
)
LOG_ID: Final = DigitRun(
    place="an id in a log line",
    pattern=re.compile(
        r"(?<![0-9A-Za-z])\d{3}[ \-]?\d{3}[ \-]?\d{4}(?![0-9A-Za-z])",
    ),
    least=10,
    between=_A_SPACE_OR_DASH,
    why="Ids of the service are UUIDs and digests, which have long runs of digits. Only "
    "ten digits that stand alone, grouped like an NHS number, are a patient's.",
)

DIGIT_RUNS: Final = (
    COLUMN_NAME,
    INPUT_FILE_NAME,
    STATED_TEXT,
    STATED_TEXT_BROKEN,
    JUSTIFICATION,
    PROJECT_ID,
    OPERATION_ID,
    TYPED_TEXT,
    LOG_TEXT,
    LOG_ID,
)
"""The table, one row a place."""
