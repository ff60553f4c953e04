"""What the details of linkage events on the audit trail say, read back as values.

Whether the events are genuine is another question: ``core.linkage_records`` verifies
their seals, ``core.linkage_stories`` trusts whoever has verified the trail.
"""

from collections.abc import Sequence
from datetime import datetime

from pseudo_service.core.audit.events import BETWEEN, AuditEvent
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageVerb,
    Vote,
)


def parse_request(event: AuditEvent, subjects: Sequence[str]) -> LinkageRequest:
    """Return the request of a submission's event, for these subjects.

    Raises:
        KeyError: A detail is missing.
        ValueError: A detail is not of its form.
    """
    details = event.details
    return LinkageRequest(
        request_id=str(event.operation),
        verb=LinkageVerb(str(details["verb"])),
        mode=LinkageMode(str(details["mode"])),
        project=str(event.project),
        target_project=str(details["target_project"]),
        subjects=tuple(subjects),
        purpose=str(details["purpose"]),
        legal_basis=LegalBasis(str(details["legal_basis"])),
        consent_reference=str(details["consent_reference"]),
        requester=event.actor,
        redeemer=str(details["redeemer"]),
        recipient_key=bytes.fromhex(str(details["recipient_key"])),
        submitted_at=event.at,
        expires_at=datetime.fromisoformat(str(details["expires_at"])),
    )


def parse_vote(event: AuditEvent) -> Vote:
    """Return the vote of a review's event; raises as ``parse_request`` does."""
    details = event.details
    guardian_of = str(details["guardian_of"])
    return Vote(
        reviewer=event.actor,
        guardian_of=tuple(guardian_of.split(BETWEEN)) if guardian_of else (),
        decision=Decision(str(details["decision"])),
        reason=str(details["reason"]),
        at=event.at,
    )
