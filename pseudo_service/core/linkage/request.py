"""What a linkage request states, and the digest by which people approve exactly it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Final


class LinkageVerb(StrEnum):
    """What a release answers.

    REIDENTIFY: the identifier behind each pseudonym.
    TRANSLATE: the target project's pseudonym; the identifier stays in the service.
    LOCATE: which projects hold one person, for a subject's own request.
    """

    REIDENTIFY = "reidentify"
    TRANSLATE = "translate"
    LOCATE = "locate"


class LinkageMode(StrEnum):
    """ROUTINE needs two reviews before; BREAK_GLASS one before and one afterwards."""

    ROUTINE = "routine"
    BREAK_GLASS = "break_glass"


class LegalBasis(StrEnum):
    """The closed list of what may justify a release; docs/linkage.md explains each."""

    DIRECT_CARE = "direct_care"
    EXPLICIT_CONSENT = "explicit_consent"
    SECTION_251 = "section_251"
    VITAL_INTERESTS = "vital_interests"
    LEGAL_OBLIGATION = "legal_obligation"
    COURT_ORDER = "court_order"
    PUBLIC_INTEREST = "public_interest"
    SUBJECT_REQUEST = "subject_request"
    DATA_QUALITY = "data_quality"


class LinkageState(StrEnum):
    """Where a request stands; ``core.linkage.approval`` lists the transitions."""

    SUBMITTED = "submitted"
    PARTIALLY_REVIEWED = "partially_reviewed"
    APPROVED = "approved"
    RELEASED = "released"
    AWAITING_SECOND_REVIEW = "awaiting_second_review"
    DISPUTED = "disputed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"


class LinkageOutcome(StrEnum):
    """What a release says of one subject.

    FOUND: here is the identifier, or the target project's pseudonym.
    UNKNOWN: nobody in the register has this pseudonym.
    WRONG_PROJECT: the pseudonym is another project's.
    CLOSED_KEY_VERSION: the key version is gone, so that nothing can match the pseudonym.
    OPTED_OUT: the target project may not hold this person, because the person opted
        out or because nobody can check whether they did.
    """

    FOUND = "found"
    UNKNOWN = "unknown"
    WRONG_PROJECT = "wrong_project"
    CLOSED_KEY_VERSION = "closed_key_version"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageTerms:
    """What a requester asks for, apart from the subjects.

    ``target_project`` is empty except for TRANSLATE. ``recipient_key`` is X25519, raw,
    32 bytes. ``redeemer`` is the subject of the officer who receives the result.
    """

    verb: LinkageVerb
    mode: LinkageMode
    project: str
    target_project: str = ""
    purpose: str
    legal_basis: LegalBasis
    consent_reference: str
    recipient_key: bytes
    redeemer: str = ""
    expires_at: datetime

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects that need a guardian's approval."""
        both = (self.project, self.target_project)
        return tuple(project for project in both if project)


TERM_NAMES: Final = tuple(term.name for term in fields(LinkageTerms))


def terms_to_fields(terms: object) -> dict[str, str]:
    """Return the terms as texts by name.

    The digest, the sealed event, the database row and the JSON of the command share
    these texts, so that one change here would change them all.

    Args:
        terms: ``LinkageTerms``, or a value with attributes of the same names: a row of
            the database, or what the client received.
    """
    return {name: _write_field(getattr(terms, name)) for name in TERM_NAMES}


def terms_from_fields(texts: Mapping[str, str]) -> LinkageTerms:
    """Return the terms that ``terms_to_fields`` wrote.

    Raises:
        KeyError: A term is missing.
        ValueError: A term is not of its form, or is a choice that this version does
            not know.
    """
    return LinkageTerms(
        verb=LinkageVerb(texts["verb"]),
        mode=LinkageMode(texts["mode"]),
        project=texts["project"],
        target_project=texts["target_project"],
        purpose=texts["purpose"],
        legal_basis=LegalBasis(texts["legal_basis"]),
        consent_reference=texts["consent_reference"],
        recipient_key=bytes.fromhex(texts["recipient_key"]),
        redeemer=texts["redeemer"],
        expires_at=datetime.fromisoformat(texts["expires_at"]),
    )


def _write_field(value: str | bytes | datetime) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageRequest:
    """A request as it was submitted; nothing of it ever changes.

    ``subjects`` are sorted and distinct pseudonyms. For LOCATE they are blind indices
    of one person, one for each number that the person has had, written
    ``<kind>:<32 hexadecimal digits>``.
    """

    request_id: str
    requester: str
    submitted_at: datetime
    terms: LinkageTerms
    subjects: Sequence[str] = field(repr=False)

    def digest(self) -> bytes:
        """Return SHA-256 over every field and the exact subjects, as canonical JSON."""
        statement = {
            **terms_to_fields(self.terms),
            "format": "pseudo/linkage-request/v1",
            "request_id": self.request_id,
            "requester": self.requester,
            "submitted_at": self.submitted_at.isoformat(),
            "subjects": list(self.subjects),
        }
        encoded = json.dumps(statement, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(encoded.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One review.

    ``guardian_of`` lists those projects of the request that the reviewer was guardian of.
    """

    reviewer: str
    guardian_of: tuple[str, ...]
    decision: Decision
    reason: str
    at: datetime
