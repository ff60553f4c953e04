"""Reads the details of linkage events on the audit trail as values.

Neither function checks whether an event is genuine: ``sealed_events`` verifies the
seals, and ``history`` trusts a trail that its caller has verified.
"""

from collections.abc import Sequence

from pseudo_service.core.audit.events import BETWEEN, AuditEvent
from pseudo_service.core.linkage.request import (
    TERM_NAMES,
    Decision,
    LinkageRequest,
    Vote,
    terms_from_fields,
)


def parse_request(event: AuditEvent, subjects: Sequence[str]) -> LinkageRequest:
    """Return the request of a submission's event, for these subjects.

    Raises:
        KeyError: A detail is missing.
        ValueError: A detail is not of its form.
    """
    stated = {**event.details, "project": event.project}
    return LinkageRequest(
        request_id=str(event.operation),
        requester=event.actor,
        submitted_at=event.at,
        terms=terms_from_fields({name: str(stated[name]) for name in TERM_NAMES}),
        subjects=tuple(subjects),
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
