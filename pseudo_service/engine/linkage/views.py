"""The values that callers send to the linkage desk, and those that it returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pseudo_service.core.linkage.request import (
    LinkageRequest,
    LinkageState,
    LinkageTerms,
    Vote,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageSubmission:
    """A request as its caller states it, not yet checked.

    An empty ``terms.redeemer`` means the caller. ``pseudonyms`` come in any order, and
    repeats count once. ``identifier`` and ``kind`` are for LOCATE only.
    """

    terms: LinkageTerms
    pseudonyms: Sequence[str] = field(default=(), repr=False)
    identifier: str = field(default="", repr=False)
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageView:
    """A request as one caller may see it now.

    ``request.subjects`` may be empty: ``subject_count`` counts them. ``votes`` holds the
    votes that the caller may see, and ``hidden_votes`` counts the others. ``state`` is
    the state at the time of the call, EXPIRED included.
    """

    request: LinkageRequest
    digest: bytes
    subject_count: int
    state: LinkageState
    votes: tuple[Vote, ...]
    hidden_votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapView:
    """Another request of the project; ``shared`` counts the subjects that both list."""

    request_id: str
    shared: int
    state: LinkageState
    requester: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageDetail:
    """One request with its subjects, and the requests that overlap it.

    ``pseudonyms`` is empty for LOCATE, and for members of the target project that may
    not review.
    """

    view: LinkageView
    pseudonyms: tuple[str, ...] = field(repr=False)
    overlaps: tuple[OverlapView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkagePage:
    """Some of a project's requests, newest first; no ``next_cursor``: the last page."""

    views: tuple[LinkageView, ...]
    next_cursor: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRelease:
    """A result that only the recipient's key opens.

    ``sealed_digest`` is SHA-256 of ``sealed``. ``released_now`` is false for the kept
    result of an earlier release.
    """

    request_id: str
    digest: bytes
    sealed: bytes = field(repr=False)
    sealed_digest: bytes
    available_until: datetime
    released_now: bool
