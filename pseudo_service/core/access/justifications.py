"""Short texts by which custodians say why: titles, reasons, references of orders.

They go into the audit trail. What a linkage request states is bound more tightly: see
``core.linkage.rules``.
"""

from pseudo_service.core.digit_runs import JUSTIFICATION
from pseudo_service.core.errors import InvalidArgument

_LONGEST_NOTE = 200


def parse_justification(field: str, text: str) -> str:
    """Return a short text of a person, without white space around it.

    Raises:
        InvalidArgument: It is blank, long or of several lines, or holds a number that
            could be a patient's.
    """
    note = text.strip()
    if not 1 <= len(note) <= _LONGEST_NOTE or any(ord(c) < ord(" ") for c in note):
        msg = f"{field}: 1 to {_LONGEST_NOTE} characters on one line"
        raise InvalidArgument(msg)
    if JUSTIFICATION.is_in(note):
        msg = f"{field}: leave the long number out; it is kept in the audit trail"
        raise InvalidArgument(msg)
    return note
