"""The people of a linkage request, as they act against a running service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import (
    Client,
    Linkage,
    LinkageResult,
    SealedResult,
    open_linkage_result,
)
from pseudo_service.adapters.sql import schema
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat, parse_pseudonym
from tests.lib.services.service import RunningService

PURPOSE = "recall after an alert"


@dataclass(kw_only=True)
class People:
    """Mara asks and redeems; Gwen is guardian, Ravi another officer of asthma."""

    service: RunningService
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    on: RunningService | None = None

    def be(self, person: str, *roles: str) -> Client:
        """Return a client as one person; the subject is ``local:PERSON``."""
        return (self.on or self.service).client(*roles, subject=person)

    @property
    def mara(self) -> Client:
        return self.be("mara", "linkage_officer:asthma")

    @property
    def gwen(self) -> Client:
        return self.be("gwen", "guardian:asthma")

    @property
    def ravi(self) -> Client:
        return self.be("ravi", "linkage_officer:asthma")

    def submit(self, pseudonyms: Sequence[str] = (), **changes: Any) -> Linkage:
        """Ask as Mara, or as ``client``."""
        client = changes.pop("client", None) or self.mara
        hours = changes.pop("hours", 24)
        stated = {
            "verb": "reidentify",
            "project": "asthma",
            "pseudonyms": pseudonyms,
            "purpose": PURPOSE,
            "legal_basis": "direct_care",
            "consent_reference": "letter of the controller",
            "recipient_key": self.key.public_key().public_bytes_raw(),
            "expires_at": self.service.clock.now() + timedelta(hours=hours),
            **changes,
        }
        made: Linkage = client.submit_linkage(**stated)
        return made

    def approve(self, asked: Linkage, *reviewers: Client) -> Linkage:
        """Approve as Gwen and Ravi, or as others; return what the last one saw."""
        for reviewer in reviewers or (self.gwen, self.ravi):
            asked = vote(reviewer, asked)
        return asked

    def ask_and_approve(self, pseudonyms: Sequence[str], **changes: Any) -> Linkage:
        """Return a request that only needs to be redeemed."""
        approved = self.approve(self.submit(pseudonyms, **changes))
        assert approved.state == "approved"
        return approved

    def open(self, sealed: SealedResult, asked: Linkage) -> LinkageResult:
        """Open with Mara's key."""
        return open_linkage_result(sealed, self.key, asked.digest)


def vote(
    reviewer: Client, asked: Linkage, decision: str = "approve", **changes: Any
) -> Linkage:
    """Review what was seen."""
    stated = {"digest": asked.digest, "reason": "the recall is care", **changes}
    return reviewer.review_linkage(asked.request_id, decision=decision, **stated)


def invent_pseudonym(example: str, *, version: int | None = None) -> str:
    """Return a pseudonym of the same project, rightly written, that is nobody's."""
    parts = parse_pseudonym(example)
    written = PseudonymFormat(
        tag=parts.tag,
        kind=IdentifierKind.parse("nhs_number"),
        version=version or parts.version,
    )
    return written.encode_one(bytes(byte ^ 0x55 for byte in parts.mac))


@contextmanager
def write_to_database(service: RunningService) -> Iterator[sqlalchemy.Connection]:
    """Write as somebody with the database's password and nothing else."""
    engine = sqlalchemy.create_engine(service.config.database_url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def set_state(service: RunningService, asked: Linkage, state: str) -> None:
    """Write a state into the table of requests."""
    requests = schema.linkage_requests
    with write_to_database(service) as connection:
        connection.execute(
            requests.update()
            .where(requests.c.request_id == asked.request_id)
            .values(state=state)
        )
