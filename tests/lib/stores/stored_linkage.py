"""Requests, disclosures and superseded numbers to store, told apart by a number."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.core.disclosures.disclosure import Disclosure, DisclosureUse
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageVerb,
)
from pseudo_service.core.register.segments import Segment
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.superseded import SupersededList
from tests.lib.stores.stored_values import NOON, make_data_key, make_event, make_segment
from tests.lib.values.linkage_requests import build_request


def make_subjects(numbers: Iterable[int]) -> tuple[str, ...]:
    """Return things that look like pseudonyms, in order."""
    return tuple(sorted(f"H7Q2-{number:08d}-aZ" for number in numbers))


def make_request(
    number: int = 1,
    *,
    project: str = "heart-study",
    target_project: str = "",
    subjects: Sequence[str] = make_subjects(range(3)),
) -> LinkageRequest:
    verb = LinkageVerb.TRANSLATE if target_project else LinkageVerb.REIDENTIFY
    return build_request(
        request_id=f"request-{number:06d}",
        verb=verb,
        mode=LinkageMode.ROUTINE,
        project=project,
        target_project=target_project,
        subjects=subjects,
        purpose="An incidental finding: Straße, 東京",
        legal_basis=LegalBasis.DIRECT_CARE,
        consent_reference="REC 26/0001",
        requester="researcher-1",
        redeemer="officer-1",
        recipient_key=bytes([number % 256]) * 32,
        submitted_at=NOON + timedelta(seconds=number),
        expires_at=NOON + timedelta(days=7),
    )


def make_disclosure(
    number: int = 1,
    *,
    project: str = "heart-study",
    data_key: int = 1,
    size: int = 8,
    recorded_at: datetime = NOON,
) -> Disclosure:
    return Disclosure(
        disclosure_id=f"disclosure-{number:06d}",
        project=project,
        kind="nhs_number",
        use=DisclosureUse.DATES if number % 2 else DisclosureUse.PSEUDONYM,
        key_version=3,
        operation=f"operation-{number}",
        recorded_at=recorded_at,
        count=size // 8,
        data_key_id=f"data-key-{data_key:06d}",
        nonce=number.to_bytes(12, "big"),
        sealed=number.to_bytes(8, "big") * (size // 8),
        mac=number.to_bytes(32, "big"),
    )


def make_superseded_facts(number: int = 1) -> SupersededList:
    return SupersededList(
        list_id=f"aliases-{number}",
        merged=2**40,
        reissued=number,
        digest=bytes([number]) * 32,
        loaded_at=NOON,
    )


def fill_segments(database: SqlDatabase, numbers: Sequence[int]) -> None:
    """Register a segment a number, all under one data key."""
    change = BatchChange(
        event=make_event(numbers[0]),
        data_keys=[make_data_key(1)],
        segments=[make_segment(number) for number in numbers],
    )
    SqlJournal(database).submit(change).wait()


def fill_disclosures(database: SqlDatabase, disclosures: Sequence[Disclosure]) -> None:
    """Record disclosures, all under one data key."""
    change = BatchChange(
        event=make_event(1), data_keys=[make_data_key(1)], disclosures=disclosures
    )
    SqlJournal(database).submit(change).wait()


def merge_segments(number: int, merged: Sequence[Segment]) -> Segment:
    """Return one segment with the content of several, under another data key."""
    return Segment(
        segment_id=f"segment-{number:06d}",
        kind="nhs_number",
        count=sum(one.count for one in merged),
        data_key_id="data-key-000002",
        nonce=number.to_bytes(12, "big"),
        sealed=b"".join(one.sealed for one in merged),
        blind_index=b"".join(one.blind_index for one in merged),
        mac=number.to_bytes(32, "big"),
    )


def list_indices(segments: Iterable[Segment]) -> set[bytes]:
    """Return every blind index of the segments."""
    return {
        one.blind_index[at : at + 16]
        for one in segments
        for at in range(0, len(one.blind_index), 16)
    }
