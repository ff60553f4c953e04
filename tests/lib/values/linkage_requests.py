"""Linkage requests for tests: built and changed by field, wherever the field is held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pseudo_service.core.linkage.request import (
    TERM_NAMES,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageTerms,
    LinkageVerb,
)

SUBMITTED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PSEUDONYMS = (
    "ABCD-N1000000000000000000000000003",
    "ABCD-N1000000000000000000000000011",
)
_USUAL = LinkageRequest(
    request_id="f" * 32,
    requester="ann",
    submitted_at=SUBMITTED_AT,
    terms=LinkageTerms(
        verb=LinkageVerb.REIDENTIFY,
        mode=LinkageMode.ROUTINE,
        project="asthma",
        purpose="recall after an alert",
        legal_basis=LegalBasis.DIRECT_CARE,
        consent_reference="letter of 3 March",
        recipient_key=bytes(range(32)),
        redeemer="ben",
        expires_at=SUBMITTED_AT + timedelta(days=2),
    ),
    subjects=PSEUDONYMS,
)


def build_request(**fields: Any) -> LinkageRequest:
    """Return a request with some fields as given, of the terms as well."""
    return replace_request(_USUAL, **fields)


def replace_request(request: LinkageRequest, **fields: Any) -> LinkageRequest:
    """Return a request with some fields changed, of the terms as well."""
    terms = {name: fields.pop(name) for name in TERM_NAMES if name in fields}
    return replace(request, terms=replace(request.terms, **terms), **fields)
