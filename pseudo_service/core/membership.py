"""Whom an operation released, as a sealed set of blind-index prefixes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class MembershipUse(StrEnum):
    """PSEUDONYM: a pseudonym was answered; DATES: only shifted dates or surrogates."""

    PSEUDONYM = "pseudonym"
    DATES = "dates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The people of one kind that one operation released in a project, sealed.

    Sealed like a register segment under a data key, so that only the linkage identity
    reads it. ``count`` is the number of distinct people.
    """

    membership_id: str
    project: str
    kind: str
    use: MembershipUse
    key_version: int
    operation: str
    recorded_at: datetime
    count: int
    data_key_id: str
    nonce: bytes
    sealed: bytes = field(repr=False)
    mac: bytes = field(repr=False)
