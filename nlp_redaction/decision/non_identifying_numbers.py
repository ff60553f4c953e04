"""Figures that by their form are no identifiers: durations, times of day, scores, codes.

The models have seen so many dates and numbers that they see some in "10/7" and
"23:51:07" too. What has one of these forms is removed only by a rule that stands alone.
"""

import re
from typing import Final

from nlp_redaction.document.text import Document

_FIGURE: Final = re.compile(
    r"""
    (?<![\w/.-]) (?:
        \d{1,2}[-]?\d{0,2} / (?:7|52|12)              # 10/7, 3-4/52: days, weeks, months
      | \d{1,2} : [0-5]\d (?: : [0-5]\d )?             # 23:51:07
      | \d+ (?:\.\d+)? \s? (?: mg | g | kg | mcg | ml | mls | mm | cm | units? | iu | mmol
            | bpm | kpa | % | years? | yrs? | months? | mths? | weeks? | wks? | days? | hrs?
            | hours? | mins? )
      | (?: gcs | mmse | moca | news2? | apgar | barthel | waterlow | phq-?9 | gad-?7
            | must | vas | ace-?iii | score | scored | grade | power | pulses?
            | drawing | naming | oxford | snellen | va | pain | er | pr ) \s* [:=]?
            \s* \d+ (?: \s*/\s* \d+ )?
      | (?: snomed | read | icd-?10 | opcs-?4? ) \s+ (?: codes? \s+ )?
            [a-z]? \d\w*(?:\.\w+)? (?: [\s,]+ [a-z]\d\w*(?:\.\w+)? )*
      | [ABM] [1-9]\d{0,3} (?=\s+(?:near|at|between|junction|northbound|southbound))
      | (?: early | mid | late )? [\s-]? [2-8]0s (?=\s|[.,;)])
    ) (?![\w/])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def find_figures(document: Document) -> list[tuple[int, int]]:
    """Return the stretches of a text that are figures, in order."""
    if not document.has_digit:
        return []
    return [match.span() for match in _FIGURE.finditer(document.plain)]
