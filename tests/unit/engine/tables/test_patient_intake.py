"""The patient table on its way in: it is the announced one, whole and in order."""

import hashlib

import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    BatchOutOfOrder,
    BatchTooLarge,
    PatientTableRefused,
)
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.policies.policy import Policy, parse_policy
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.engine.tables.patient_intake import (
    AnnouncedPatients,
    PatientIntake,
    PatientLimits,
    check_announced,
)
from tests.lib.harnesses.deidentification import make_context
from tests.lib.values.nhs_numbers import make_nhs_number

WITHOUT = parse_policy("""
policy: study-a/notes@1
columns:
  note: {treatment: keep, reason: it is a code}
""")
WITH = parse_policy("""
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  note: {treatment: redact_text, known_from: patients}
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {names: [name]}
""")
ADA, BOB = make_nhs_number(1), make_nhs_number(2)
ROWS = pa.record_batch({"number": [ADA, BOB], "name": ["Ada", "Bob"]})
DATA = [b"the first batch", b"the second batch"]
LIMITS = PatientLimits(rows=4, bytes=64)


def announce(
    rows: int = 2, *data: bytes, digest: bytes | None = None
) -> AnnouncedPatients:
    return AnnouncedPatients(
        schema=ROWS.schema,
        schema_bytes=ROWS.schema.serialize().to_pybytes(),
        rows=rows,
        digest=digest
        if digest is not None
        else hashlib.sha256(b"".join(data or DATA)).digest(),
    )


class Intake:
    """An intake of a table, and the table."""

    def __init__(
        self, announced: AnnouncedPatients, limits: PatientLimits = LIMITS
    ) -> None:
        context = make_context()
        assert WITH.patient_table is not None
        self.blind = context.keys["nhs_number"].blind
        self.table = PatientTable(
            WITH.patient_table,
            announced.schema,
            hashing=self.blind,
            rules=context.identifier_rules,
        )
        self.intake = PatientIntake(self.table, announced, limits)

    def take(self, *batches: pa.RecordBatch) -> None:
        for sequence, batch in enumerate(batches):
            self.intake.check_next(sequence, DATA[sequence])
            self.intake.add(batch)


@pytest.mark.parametrize(
    ("policy", "announced", "match"),
    [
        (WITHOUT, announce(), "takes no patient table: leave it out"),
        (WITH, None, "needs its patient table: send it ahead"),
        (WITH, announce(digest=b""), "no SHA-256"),
        (WITH, announce(digest=b"x" * 31), "no SHA-256"),
    ],
)
def test_a_table_unasked_for_missing_or_without_digest_is_refused(
    policy: Policy, announced: AnnouncedPatients | None, match: str
) -> None:
    with pytest.raises(PatientTableRefused, match=match):
        check_announced(policy, announced, LIMITS)


def test_as_many_rows_as_are_taken_are_taken_and_one_more_is_not() -> None:
    check_announced(WITH, announce(LIMITS.rows), LIMITS)
    check_announced(WITH, announce(0), LIMITS)
    check_announced(WITHOUT, None, LIMITS)
    with pytest.raises(BatchTooLarge, match="5 rows, at most 4 are taken"):
        check_announced(WITH, announce(LIMITS.rows + 1), LIMITS)


def test_the_pin_tells_tables_apart_and_needs_the_key() -> None:
    key, announced = SecretKey(b"k" * 32), announce()
    pins = {
        announced.pin(key),
        announced.pin(SecretKey(b"l" * 32)),
        announce(3).pin(key),
        announce(2, b"other bytes").pin(key),
    }
    assert len(pins) == 4
    assert announce().pin(key) == announced.pin(key)
    assert announced.digest not in pins


def test_the_announced_table_is_sealed_once_and_can_be_asked() -> None:
    held = Intake(announce())
    held.take(ROWS.slice(0, 1), ROWS.slice(1))
    held.intake.seal()
    held.intake.seal()
    (known,) = held.table.find(held.blind.mac(pa.array([BOB])))
    assert list(known.values()) == [("Bob",)]


def test_a_table_without_rows_needs_no_batch() -> None:
    announced = announce(0, digest=hashlib.sha256().digest())
    held = Intake(announced)
    held.intake.seal()
    assert held.table.rows == 0


@pytest.mark.parametrize("sequence", [1, -1])
def test_a_batch_that_was_skipped_is_refused(sequence: int) -> None:
    with pytest.raises(BatchOutOfOrder, match="once, in order"):
        Intake(announce()).intake.check_next(sequence, DATA[0])


def test_a_batch_that_comes_twice_or_after_the_table_is_refused() -> None:
    held = Intake(announce())
    held.take(ROWS.slice(0, 1), ROWS.slice(1))
    with pytest.raises(BatchOutOfOrder):
        held.intake.check_next(1, DATA[1])
    held.intake.seal()
    with pytest.raises(BatchOutOfOrder, match=r"before the table.s"):
        held.intake.check_next(2, b"")


def test_more_bytes_than_are_taken_are_refused_over_all_batches() -> None:
    held = Intake(announce(), PatientLimits(rows=4, bytes=20))
    held.intake.check_next(0, b"x" * 20)
    with pytest.raises(BatchTooLarge, match="more than 20 bytes"):
        held.intake.check_next(1, b"x")


def test_more_rows_than_announced_are_refused_when_they_come() -> None:
    held = Intake(announce(1))
    held.intake.check_next(0, DATA[0])
    with pytest.raises(PatientTableRefused, match="not the one that the header"):
        held.intake.add(ROWS)


@pytest.mark.parametrize(
    "announced",
    [announce(3), announce(2, b"other bytes")],
    ids=["a row is lacking", "other bytes"],
)
def test_another_table_is_not_sealed(announced: AnnouncedPatients) -> None:
    held = Intake(announced)
    held.take(ROWS.slice(0, 1), ROWS.slice(1))
    for _ in range(2):  # a second try is no way round it
        with pytest.raises(PatientTableRefused, match="send the table again"):
            held.intake.seal()


def test_the_order_of_the_batches_counts() -> None:
    held = Intake(announce(2, *reversed(DATA)))
    held.take(ROWS.slice(0, 1), ROWS.slice(1))
    with pytest.raises(PatientTableRefused):
        held.intake.seal()
