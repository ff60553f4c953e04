"""Which texts mean that nothing was recorded.

Two patients without a number must never become equal, so "NA" or a dash is the
absence of a value in every treatment, not a value.
"""

import unicodedata

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u00ad\u2043"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85" + "".join(
    chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs"
)
_NORMAL_FORMS = str.maketrans(
    dict.fromkeys(_BLANKS, " ")
    | dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_INVISIBLE, "")
    | {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
)
_WORDS = frozenset(
    {
        "#N/A",
        "<NA>",
        "BLANK",
        "MISSING",
        "N.A.",
        "N/A",
        "N/K",
        "NA",
        "NAN",
        "NAT",
        "NIL",
        "NK",
        "NONE",
        "NOT KNOWN",
        "NOT RECORDED",
        "NOT STATED",
        "NULL",
        "TBA",
        "TBC",
        "UNK",
        "UNKNOWN",
        "UNSPECIFIED",
        "\\N",
    }
)
_MARKS = frozenset("-._?*/ ")


def normalise_text(text: str) -> str:
    """Return a text with plain blanks, dashes and full-width forms, stripped.

    Every Unicode blank becomes a space, every dash ``-``, full-width ASCII its
    narrow form; zero-width characters go.
    """
    return text.translate(_NORMAL_FORMS).strip()


def is_missing(text: str) -> bool:
    """Say whether a normalised text means that nothing was recorded."""
    return text.upper() in _WORDS or _MARKS.issuperset(text)
