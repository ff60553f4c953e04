"""Opening a table stream: what is refused, what is pinned, what is on record."""

import hashlib
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
    KeyVaultUnavailable,
    PinsChanged,
    ProjectNotActive,
    PseudoError,
)
from pseudo_service.core.identifiers.kinds import ChiInNhsColumn
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ShiftDirection,
    ShiftUnit,
    Uncheckable,
)
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.tables.deidentify_table import (
    DeploymentRules,
    check_operation,
    digest_parameters,
)
from pseudo_service.engine.tables.patient_intake import (
    AnnouncedPatients,
    PatientLimits,
)
from tests.lib.harnesses.table_streams import (
    OPERATION,
    POLICY,
    PROJECT,
    PURPOSE,
    RULES,
    SCHEMA,
    StreamHarness,
)
from tests.lib.stores.stored_values import make_project
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB = make_nhs_number(1), make_nhs_number(2)
TEXT_POLICY = """
policy: asthma/visits@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  note: {treatment: redact_text, known_from: patients}
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {names: [name]}
"""
TEXT_SCHEMA = pa.schema({"nhs": pa.string(), "note": pa.string()})
PATIENT_SCHEMA = pa.schema({"number": pa.string(), "name": pa.string()})
PREVIOUS_POLICY = POLICY.replace(
    "kind: nhs_number}\n  place", "kind: nhs_number, previous: old}\n  place"
)
RULES_OF_DEPLOYMENT = DeploymentRules(
    identifiers=RULES, sentinels=frozenset(), library_versions={}
)


def announce(rows: int = 1, schema: pa.Schema = PATIENT_SCHEMA) -> AnnouncedPatients:
    return AnnouncedPatients(
        schema=schema,
        schema_bytes=schema.serialize().to_pybytes(),
        rows=rows,
        digest=hashlib.sha256(b"").digest(),
    )


def read_pins(harness: StreamHarness, **changes: Any) -> PinSet:
    return harness.open(**changes).facts.pins


@pytest.mark.parametrize(
    ("changes", "code", "match"),
    [
        ({"purpose": ""}, ErrorCode.PURPOSE_MISSING, "purpose"),
        ({"operation": "short"}, ErrorCode.INVALID_ARGUMENT, "operation"),
        ({"policy": "visits@2"}, ErrorCode.POLICY_UNKNOWN, "visits@2"),
        ({"policy": "visits"}, ErrorCode.POLICY_INVALID, "release@number"),
        (
            {"schema": SCHEMA.append(pa.field("age", pa.int8()))},
            ErrorCode.COLUMN_UNLISTED,
            '"age"',
        ),
        ({"schema": SCHEMA.remove(1)}, ErrorCode.COLUMN_MISSING, '"place"'),
        (
            {"schema": SCHEMA.set(0, pa.field("nhs", pa.date32()))},
            ErrorCode.COLUMN_TYPE_UNSUITABLE,
            '"nhs"',
        ),
        ({"patients": announce()}, ErrorCode.PATIENT_TABLE_REFUSED, "leave it out"),
    ],
)
def test_a_wrong_header_is_refused_and_leaves_no_event(
    changes: dict[str, Any], code: ErrorCode, match: str
) -> None:
    harness = StreamHarness()
    with pytest.raises(PseudoError, match=match) as told:
        harness.open(**changes)
    assert told.value.code is code
    assert harness.trail.events == []


def test_who_may_not_is_told_before_anything_is_looked_up() -> None:
    harness = StreamHarness()
    other = Actor(
        subject="other",
        grants=frozenset({RoleGrant.parse("pipeline:another")}),
        expires_at=None,
    )
    asked = len(harness.vault.asked)
    with pytest.raises(AccessDenied, match="deidentify in project asthma"):
        harness.open(other, policy="unknown@9", operation="short")
    assert harness.trail.kinds() == ["call_refused"]
    assert len(harness.vault.asked) == asked


def test_a_suspended_project_takes_no_table() -> None:
    harness = StreamHarness()
    harness.suspend()
    with pytest.raises(ProjectNotActive):
        harness.open()


def test_without_the_vault_no_stream_opens() -> None:
    harness = StreamHarness()
    harness.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        harness.open()
    assert harness.trail.events == []


@pytest.mark.parametrize(
    ("loaded", "code"),
    [(None, ErrorCode.OPT_OUT_LIST_MISSING), (1, ErrorCode.OPT_OUT_LIST_STALE)],
)
def test_without_a_fresh_opt_out_list_no_stream_opens(
    loaded: int | None, code: ErrorCode
) -> None:
    harness = StreamHarness(opt_outs=OptOutApplication.APPLIED)
    if loaded is not None:
        harness.load_opt_outs(ADA, days=loaded)
        harness.clock.advance(days=loaded)
    with pytest.raises(PseudoError) as told:
        harness.open()
    assert told.value.code is code


def test_an_open_stream_is_on_record_before_its_first_row() -> None:
    harness = StreamHarness()
    stream = harness.open(part=3)
    (event,) = harness.trail.events
    assert event.kind.value == "table_opened"
    assert (event.actor, event.project, event.operation) == (
        "loader",
        PROJECT,
        OPERATION,
    )
    pins = stream.facts.pins
    assert event.details == {
        "part": 3,
        "purpose": PURPOSE,
        "policy": "asthma/visits@1",
        "policy_digest": pins.policy_digest.hex(),
        "key_version": 1,
        "previous_key_version": 0,
        "opt_out_list": "",
        "alias_table": "",
        "patients": 0,
    }
    assert stream.output_schema.names == ["nhs", "place"]
    assert stream.most_rows is None


def test_pins_stay_the_same_for_every_part_of_a_run() -> None:
    harness = StreamHarness()
    pins = read_pins(harness)
    assert read_pins(harness, part=1, expected_pins=pins) == pins


def test_a_part_is_refused_when_the_key_was_rotated_meanwhile() -> None:
    harness = StreamHarness()
    pins = read_pins(harness)
    harness.rotate()
    with pytest.raises(PinsChanged, match="start its parts again"):
        harness.open(part=1, expected_pins=pins)
    assert harness.trail.kinds()[-1] != "table_opened"
    assert read_pins(harness).key_version == 2


def test_a_part_is_refused_when_a_list_was_loaded_meanwhile() -> None:
    harness = StreamHarness(opt_outs=OptOutApplication.APPLIED)
    harness.load_opt_outs(ADA)
    pins = read_pins(harness)
    assert pins.opt_out_list
    assert pins.opt_out_digest
    harness.load_opt_outs(ADA, BOB)
    with pytest.raises(PinsChanged):
        harness.open(expected_pins=pins)
    before = read_pins(harness)
    harness.load_superseded(ADA, BOB)
    with pytest.raises(PinsChanged):
        harness.open(expected_pins=before)
    assert read_pins(harness).alias_table


def test_the_version_before_is_pinned_only_where_it_is_asked_for_and_open() -> None:
    harness = StreamHarness(policy=PREVIOUS_POLICY)
    assert read_pins(harness).previous_key_version == 0
    harness.rotate(overlap_days=7)
    pins = read_pins(harness)
    assert (pins.key_version, pins.previous_key_version) == (2, 1)
    harness.clock.advance(days=7)
    after = read_pins(harness)
    assert (after.key_version, after.previous_key_version) == (2, 0)
    assert after.key_check_value != pins.key_check_value
    unasked = StreamHarness()
    unasked.rotate(overlap_days=7)
    assert read_pins(unasked).previous_key_version == 0


def test_a_table_with_text_pins_the_redactor_and_its_patients() -> None:
    harness = StreamHarness(policy=TEXT_POLICY)
    header: dict[str, Any] = {"schema": TEXT_SCHEMA, "patients": announce()}
    stream = harness.open(**header)
    assert stream.facts.pins.library_versions == {
        "pyarrow": "1",
        "text_redaction": "words",
    }
    assert stream.most_rows == 512
    assert harness.trail.events[-1].details["patients"] == 1
    other = header | {"patients": announce(2)}
    with pytest.raises(PinsChanged, match="patient table"):
        harness.open(**other, expected_pins=stream.facts.pins)
    assert read_pins(StreamHarness()).library_versions == {"pyarrow": "1"}


@pytest.mark.parametrize(
    ("patients", "code"),
    [
        (None, ErrorCode.PATIENT_TABLE_REFUSED),
        (announce(6), ErrorCode.BATCH_TOO_LARGE),
        (announce(1, PATIENT_SCHEMA.remove(1)), ErrorCode.COLUMN_MISSING),
    ],
    ids=["none", "too long", "another schema"],
)
def test_a_wrong_patient_table_is_refused_in_the_header(
    patients: AnnouncedPatients | None, code: ErrorCode
) -> None:
    harness = StreamHarness(policy=TEXT_POLICY, limits=PatientLimits(rows=5))
    with pytest.raises(PseudoError) as told:
        harness.open(schema=TEXT_SCHEMA, patients=patients)
    assert told.value.code is code
    assert harness.trail.events == []


@pytest.mark.parametrize(
    "operation",
    [
        "nightly-2026-03-02",
        "a" * 8,
        "a" * 64,
        "0123456789ab4def8123456789abcdef",
        "01234567-89ab-4def-8123-456789abcdef",
    ],
)
def test_what_names_a_run_is_taken(operation: str) -> None:
    check_operation(operation)


@pytest.mark.parametrize(
    "operation",
    [
        "",
        "a" * 7,
        "a" * 65,
        "a night run",
        "run_of_ada",
        ADA,
        f"run-{ADA}",
        "run-é-of-1",
    ],
)
def test_what_could_be_an_identifier_names_no_run(operation: str) -> None:
    with pytest.raises(InvalidArgument) as told:
        check_operation(operation)
    assert not operation or operation not in told.value.message


def test_dashes_do_not_hide_a_number() -> None:
    with pytest.raises(InvalidArgument):
        check_operation("-".join(ADA))


def make_asthma() -> Project:
    return make_project("asthma")


@pytest.mark.parametrize(
    "changes",
    [
        {"date_shift": DateShiftRule(bound=91)},
        {"date_shift": replace(make_asthma().date_shift, bound=91)},
        {"date_shift": replace(make_asthma().date_shift, unit=ShiftUnit.WEEKS)},
        {
            "date_shift": replace(
                make_asthma().date_shift, direction=ShiftDirection.PAST
            )
        },
        {"follows_merges": True},
        {"opt_outs": replace(make_asthma().opt_outs, uncheckable=Uncheckable.REMOVE)},
        {
            "opt_outs": replace(
                make_asthma().opt_outs, application=OptOutApplication.APPLIED
            )
        },
    ],
)
def test_another_rule_of_the_project_is_another_digest(changes: dict[str, Any]) -> None:
    before = digest_parameters(make_asthma(), RULES_OF_DEPLOYMENT)
    other = replace(make_asthma(), **changes)
    assert digest_parameters(other, RULES_OF_DEPLOYMENT) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"sentinels": frozenset({date(1900, 1, 1)})},
        {"identifiers": replace(RULES, accept_test_range=False)},
        {"identifiers": replace(RULES, chi_in_nhs_column=ChiInNhsColumn.ACCEPT)},
    ],
)
def test_another_rule_of_the_deployment_is_another_digest(
    changes: dict[str, Any],
) -> None:
    before = digest_parameters(make_asthma(), RULES_OF_DEPLOYMENT)
    other = replace(RULES_OF_DEPLOYMENT, **changes)
    assert digest_parameters(make_asthma(), other) != before


def test_what_decides_no_date_and_no_identifier_is_not_in_the_digest() -> None:
    before = digest_parameters(make_asthma(), RULES_OF_DEPLOYMENT)
    basis = OptOutRule(
        application=make_asthma().opt_outs.application,
        legal_basis="another basis",
        uncheckable=make_asthma().opt_outs.uncheckable,
    )
    other = replace(make_asthma(), title="Another title", opt_outs=basis)
    assert digest_parameters(other, RULES_OF_DEPLOYMENT) == before
