"""What a linkage request states, and the digest by which people approve exactly it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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
    """Where a request stands; ``core.approval`` holds the table of transitions."""

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
    WRONG_PROJECT: it is another project's.
    CLOSED_KEY_VERSION: its key version is gone, so that nothing can match it.
    OPTED_OUT: the target project may not hold this person, or may not hold who cannot
        be checked for an opt-out.
    """

    FOUND = "found"
    UNKNOWN = "unknown"
    WRONG_PROJECT = "wrong_project"
    CLOSED_KEY_VERSION = "closed_key_version"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageRequest:
    """A request as it was submitted; nothing of it ever changes.

    ``subjects`` are sorted and distinct: pseudonyms, or for LOCATE one person's blind
    indices, one a number that the person has had, as ``<kind>:<32 hexadecimal digits>``. ``recipient_key`` is X25519, raw.
    ``target_project`` is empty but for TRANSLATE.
    """

    request_id: str
    verb: LinkageVerb
    mode: LinkageMode
    project: str
    target_project: str
    subjects: Sequence[str] = field(repr=False)
    purpose: str
    legal_basis: LegalBasis
    consent_reference: str
    requester: str
    redeemer: str
    recipient_key: bytes
    submitted_at: datetime
    expires_at: datetime

    @property
    def projects(self) -> tuple[str, ...]:
        """Return the projects whose guardians must consent."""
        both = (self.project, self.target_project)
        return tuple(project for project in both if project)

    def digest(self) -> bytes:
        """Return SHA-256 over every field and the exact subjects, as canonical JSON."""
        statement = {
            "format": "pseudo/linkage-request/v1",
            "request_id": self.request_id,
            "verb": self.verb.value,
            "mode": self.mode.value,
            "project": self.project,
            "target_project": self.target_project,
            "subjects": list(self.subjects),
            "purpose": self.purpose,
            "legal_basis": self.legal_basis.value,
            "consent_reference": self.consent_reference,
            "requester": self.requester,
            "redeemer": self.redeemer,
            "recipient_key": self.recipient_key.hex(),
            "submitted_at": self.submitted_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }
        encoded = json.dumps(statement, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(encoded.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One review. ``guardian_of``: the request's projects whose guardian the reviewer was."""

    reviewer: str
    guardian_of: tuple[str, ...]
    decision: Decision
    reason: str
    at: datetime
