"""Values to store: small, valid, and told apart by a number."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from pseudo_service.core.audit.events import (
    AuditEvent,
    AuditKind,
    ChainHead,
    Checkpoint,
)
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ProjectState,
    ShiftDirection,
    ShiftUnit,
    Uncheckable,
)
from pseudo_service.core.register.segments import DataKeyRow, Segment
from pseudo_service.ports.journal import QuotaCharge
from pseudo_service.ports.opt_outs import OptOutList, OptOutListKind
from pseudo_service.ports.policies import StoredPolicy

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
DAY = date(2026, 3, 2)


def make_event(
    number: int = 1, kind: AuditKind = AuditKind.BATCH_INTENT, **details: int
) -> AuditEvent:
    return AuditEvent(
        kind=kind,
        at=NOON + timedelta(seconds=number),
        actor="pipeline-1",
        project="heart-study",
        operation=f"operation-{number}",
        details={"number": number, **details},
    )


def make_project(project_id: str = "heart-study", tag: str = "H7Q2") -> Project:
    return Project(
        project_id=project_id,
        tag=tag,
        title="Outcomes after heart surgery: Straße, 東京",
        state=ProjectState.ACTIVE,
        date_shift=DateShiftRule(
            unit=ShiftUnit.DAYS, bound=90, direction=ShiftDirection.BOTH
        ),
        opt_outs=OptOutRule(
            application=OptOutApplication.NOT_APPLICABLE,
            legal_basis="consent of every participant",
            uncheckable=Uncheckable.KEEP,
        ),
        daily_quota=2**40,
        created_at=NOON,
    )


def make_key_row(
    owner: str = "heart-study",
    version: int = 1,
    purpose: RootPurpose = RootPurpose.PSEUDONYMS,
) -> KeyRow:
    return KeyRow(
        owner=owner,
        version=version,
        purpose=purpose,
        wrapping_key_id=f"local:{owner}/1",
        wrapped=bytes([version]) * 384,
        check_value=b"\x00\xff" * 8,
        created_at=NOON,
        signing_key_id="local:audit/1",
        signature=b"\x01\x00" * 192,
    )


def make_policy(
    number: int = 1,
    *,
    release: str = "2026-q1",
    project: str = "heart-study",
    text: str = "columns: {}\n",
) -> StoredPolicy:
    return StoredPolicy(
        project=project,
        release=release,
        number=number,
        text=text,
        digest=text.encode().ljust(32, b"\0")[:32],
        registered_at=NOON,
        registered_by="custodian-1",
    )


def make_opt_out_list(entries: int, number: int = 1) -> OptOutList:
    return OptOutList(
        list_id=f"list-{number}",
        kind=OptOutListKind.ALLOW,
        entries=entries,
        digest=bytes([number]) * 32,
        loaded_at=NOON,
        expires_at=NOON + timedelta(days=7),
    )


def make_indices(count: int, seed: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, 256, (count, 16), np.uint8)
    return drawn[np.lexsort(drawn.T[::-1])]


def make_data_key(number: int = 1) -> DataKeyRow:
    return DataKeyRow(
        data_key_id=f"data-key-{number:06d}",
        wrapping_key_id="local:linkage/1",
        wrapped=number.to_bytes(8, "big") * 48,
        created_at=NOON,
    )


def make_segment(number: int = 1, *, data_key: int = 1, count: int = 2) -> Segment:
    return Segment(
        segment_id=f"segment-{number:06d}",
        kind="nhs_number",
        count=count,
        data_key_id=f"data-key-{data_key:06d}",
        nonce=number.to_bytes(12, "big"),
        sealed=number.to_bytes(8, "big") * 4 * count,
        blind_index=number.to_bytes(8, "big") * 2 * count,
        mac=number.to_bytes(32, "big"),
    )


def make_charge(
    codes: np.ndarray, limit: int, *, caller: str = "pipeline-1", day: date = DAY
) -> QuotaCharge:
    return QuotaCharge(
        caller=caller, project="heart-study", day=day, codes=codes, limit=limit
    )


def make_codes(count: int, seed: int = 1) -> np.ndarray:
    """Return distinct, evenly spread codes, as a keyed hash gives them."""
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


def make_checkpoint(
    number: int, heads: tuple[ChainHead, ...] = (), previous: Checkpoint | None = None
) -> Checkpoint:
    return Checkpoint(
        number=number,
        at=NOON + timedelta(minutes=number),
        heads=heads,
        previous=bytes(32) if previous is None else previous.digest(),
        signing_key_id="local:audit/1",
        signature=bytes([number % 256]) * 384,
    )
