"""Checks of what a linkage request states and of what it asks for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pseudo_service.core.access.roles import holds_long_number
from pseudo_service.core.errors import PseudonymRefused, RequestRefused
from pseudo_service.core.linkage.request import LegalBasis, LinkageMode, LinkageVerb
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym

SHORTEST_ROUTINE = timedelta(hours=1)
LONGEST_ROUTINE = timedelta(days=30)
CLOCK_LEEWAY = timedelta(minutes=5)
"""The caller states an hour; a little less is left when the call arrives."""
LONGEST_BREAK_GLASS = timedelta(hours=4)
LOCATE_BASES = frozenset(
    {LegalBasis.SUBJECT_REQUEST, LegalBasis.COURT_ORDER, LegalBasis.LEGAL_OBLIGATION}
)
SHORTEST_TEXT = 3
LONGEST_TEXT = 500
LONGEST_SUBJECT_ID = 200
_SHOWN_POSITIONS = 10


def check_free_text(name: str, text: str) -> None:
    """Raise unless a text is present and holds nothing that may be a patient's number.

    Args:
        name: What the text is, for the message.
        text: 3 to 500 printable characters without long numbers.

    Raises:
        RequestRefused: The text is too short, too long or not plain.
    """
    plain = text.strip()
    is_plain = SHORTEST_TEXT <= len(plain) <= LONGEST_TEXT and text.isprintable()
    if not is_plain or holds_long_number(text):
        msg = (
            f"{name}: give {SHORTEST_TEXT} to {LONGEST_TEXT} plain characters, "
            "without long numbers"
        )
        raise RequestRefused(msg)


def check_redeemer(redeemer: str) -> None:
    """Raise unless the text can be a caller's subject.

    Raises:
        RequestRefused: It is empty, too long, or has no letter.
    """
    if not (
        0 < len(redeemer) <= LONGEST_SUBJECT_ID
        and redeemer.isprintable()
        and redeemer == redeemer.strip()
        and any(sign.isalpha() for sign in redeemer)  # digits may be a patient's number
    ):
        msg = "redeemer: give the officer's subject, as their token names it"
        raise RequestRefused(msg)


def check_expiry(
    mode: LinkageMode, *, submitted_at: datetime, expires_at: datetime
) -> None:
    """Raise unless a request expires within its mode's bounds.

    Raises:
        RequestRefused: The request expires too soon or too late, or the time has no
            zone.
    """
    if expires_at.tzinfo is None:
        msg = "expiry: give a time with its zone"
        raise RequestRefused(msg)
    life = expires_at - submitted_at
    if mode is LinkageMode.BREAK_GLASS:
        if not timedelta() < life <= LONGEST_BREAK_GLASS:
            msg = "expiry: a break-glass request lives at most 4 hours"
            raise RequestRefused(msg)
    elif not SHORTEST_ROUTINE - CLOCK_LEEWAY <= life <= LONGEST_ROUTINE:
        msg = "expiry: a request lives 1 hour to 30 days"
        raise RequestRefused(msg)


def check_combination(
    verb: LinkageVerb, mode: LinkageMode, basis: LegalBasis, *, subjects: int
) -> None:
    """Raise unless mode, legal basis and number of subjects go with the verb.

    Raises:
        RequestRefused: The combination is not allowed.
    """
    if mode is LinkageMode.BREAK_GLASS and (
        verb is not LinkageVerb.REIDENTIFY or subjects != 1
    ):
        msg = "break glass: it re-identifies exactly one pseudonym, and nothing else"
        raise RequestRefused(msg)
    if verb is LinkageVerb.LOCATE and basis not in LOCATE_BASES:
        msg = "legal basis: to locate a person it is one of " + ", ".join(
            sorted(LOCATE_BASES)
        )
        raise RequestRefused(msg)


def choose_subjects(pseudonyms: Sequence[str], *, ceiling: int) -> tuple[str, ...]:
    """Return the distinct pseudonyms, sorted.

    Raises:
        RequestRefused: The list is empty or longer than ``ceiling``, or a pseudonym is
            not well formed; the message names positions only.
    """
    bad = [at for at, text in enumerate(pseudonyms) if not _is_well_formed(text)]
    if bad:
        shown = ", ".join(map(str, bad[:_SHOWN_POSITIONS]))
        msg = (
            f"pseudonyms: not well formed are {len(bad)} of {len(pseudonyms)}, at "
            f"positions {shown}"
            + (" and more" if len(bad) > _SHOWN_POSITIONS else "")
            + "; look for mistyped symbols"
        )
        raise RequestRefused(msg)
    subjects = tuple(sorted(set(pseudonyms)))
    if not 1 <= len(subjects) <= ceiling:
        msg = (
            f"pseudonyms: {len(subjects):,} are listed, and the project allows 1 to "
            f"{ceiling:,} a request; ask for those alone that you need"
        )
        raise RequestRefused(msg)
    return subjects


def _is_well_formed(text: str) -> bool:
    try:
        parse_pseudonym(text)
    except PseudonymRefused:
        return False
    return True
