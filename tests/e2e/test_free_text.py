"""Free text over TLS: a table with its patient table, and single texts."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pseudo_client import (
    KnownIdentifiers,
    OptOuts,
    PatientTable,
    PinsChanged,
    PseudoClientError,
    Text,
)
from pseudo_service.api.v1 import deidentification_pb2 as pb
from pseudo_service.engine.tables.table_stream import TEXT_BATCH_ROWS
from tests.lib.harnesses.redactors import FAILING, WordRedactor
from tests.lib.services.service import (
    OpenService,
    RunningService,
    choose_config,
    run_service,
)
from tests.lib.services.wire import TableWire, make_header
from tests.lib.values.cohort import PURPOSE
from tests.lib.values.notes import (
    NAMES,
    NUMBERS,
    make_notes,
    make_patients,
    write_notes_policy,
)
from tests.lib.values.trail import read_stored_events

ASKED: dict[str, Any] = {"project": "asthma", "policy": "notes@1", "purpose": PURPOSE}


@pytest.fixture
def redactor() -> WordRedactor:
    return WordRedactor()


@pytest.fixture
def texts(open_service: OpenService, redactor: WordRedactor) -> RunningService:
    """A service that redacts known words, with a policy for notes."""
    return start(open_service, redactor)


def start(
    open_service: OpenService, redactor: WordRedactor, **settings: Any
) -> RunningService:
    service = open_service(overrides={"redactor": redactor}, **settings)
    service.custodian().register_policy(write_notes_policy("asthma"))
    return service


def catch(call: Callable[[], object]) -> str:
    with pytest.raises(PseudoClientError) as caught:
        call()
    return caught.value.code


def test_notes_leave_without_what_the_patient_table_knows(
    texts: RunningService,
) -> None:
    table = texts.pipeline().deidentify(make_notes(), patients=make_patients(), **ASKED)

    rows = table.read_all().to_pylist()

    pseudonyms = [texts.pseudonymise(number) for number in NUMBERS]
    days = [(row["written"] - date(2024, 5, 1)).days for row in rows[:3]]
    for row, pseudonym, shift in zip(rows, pseudonyms, days, strict=False):
        assert row["patient"] == pseudonym
        assert row["note"].startswith(f"[NAMES] ({pseudonym}) came on <{shift}>. (")
    assert rows[3]["note"] is None
    assert table.quality["note"] == {"ok": 3, "missing": 1}
    assert table.quality["note [identifiers found]"] == {"NAME": 3}
    statement = table.receipt.read_statement()
    assert statement["pins"]["library_versions"]["text_redaction"] == "words"
    assert len(statement["pins"]["patient_table_digest"]) == 64


def test_surrogates_are_the_same_for_a_patient_and_others_in_another_project(
    texts: RunningService, redactor: WordRedactor
) -> None:
    texts.custodian().register_policy(write_notes_policy("stroke"))
    for project in ("asthma", "asthma", "stroke"):
        asked = {**ASKED, "project": project}
        texts.pipeline(project).deidentify(
            make_notes(), patients=make_patients(), **asked
        ).read_all()
    keys = [row.surrogate_key for row, _ in redactor.asked]
    assert keys[:3] == keys[3:6]
    assert not set(keys[:3]) & set(keys[6:])
    assert len(set(keys)) == 6


def test_a_resume_under_another_patient_table_is_refused(texts: RunningService) -> None:
    first = texts.pipeline().deidentify(make_notes(), patients=make_patients(), **ASKED)
    first.read_all()
    again = {**ASKED, "expected_pins": first.pins}

    same = texts.pipeline().deidentify(make_notes(), patients=make_patients(), **again)
    same.read_all()
    other = pa.table({"number": NUMBERS, "forename": ["Xerxes", *NAMES[1:]]})

    with pytest.raises(PinsChanged):
        texts.pipeline().deidentify(make_notes(), patients=other, **again).read_all()
    # Whoever sees receipts cannot search for the patients: the digest is keyed.
    plain = hashlib.sha256(PatientTable.read(make_patients()).digest).digest()
    assert first.pins.patient_table_digest not in {
        plain,
        PatientTable.read(make_patients()).digest,
    }


@pytest.mark.parametrize(
    ("patients", "code"),
    [
        (None, "PATIENT_TABLE_REFUSED"),
        (make_patients().select(["number"]), "COLUMN_MISSING"),
        (make_patients().append_column("sex", [["F", "M", "F"]]), "COLUMN_UNLISTED"),
        (
            make_patients().set_column(
                0, "number", [pa.array([1.0] * 3, pa.float32())]
            ),
            "COLUMN_TYPE_UNSUITABLE",
        ),
    ],
)
def test_a_patient_table_of_another_shape_is_refused(
    texts: RunningService, patients: pa.Table | None, code: str
) -> None:
    table = texts.pipeline().deidentify(make_notes(), patients=patients, **ASKED)
    assert catch(table.read_all) == code


def test_a_patient_table_that_nobody_asked_for_is_refused(
    texts: RunningService,
) -> None:
    asked = {**ASKED, "policy": "cohort@1"}
    table = texts.pipeline().deidentify(make_notes(), patients=make_patients(), **asked)
    assert catch(table.read_all) in {"PATIENT_TABLE_REFUSED", "COLUMN_UNLISTED"}
    texts.custodian().register_policy(
        "policy: asthma/bare@1\npatient: {column: nhs_number, kind: nhs_number}\n"
        "columns:\n  nhs_number: {treatment: drop}\n  written: {treatment: drop}\n"
        "  note: {treatment: redact_text}\n"
    )
    asked = {**ASKED, "policy": "bare@1"}
    table = texts.pipeline().deidentify(make_notes(), patients=make_patients(), **asked)
    assert catch(table.read_all) == "PATIENT_TABLE_REFUSED"


@pytest.mark.parametrize(
    "announced",
    [
        {"digest": bytes(32)},
        {"digest": b"short"},
        {"rows": 2},
        {"rows": 4},
    ],
    ids=str,
)
def test_a_patient_table_other_than_the_announced_one_is_refused(
    texts: RunningService, announced: dict[str, Any]
) -> None:
    patients = replace(PatientTable.read(make_patients()), **announced)
    table = texts.pipeline().deidentify(make_notes(), patients=patients, **ASKED)
    assert catch(table.read_all) == "PATIENT_TABLE_REFUSED"


def test_a_patient_table_is_bounded_in_rows_and_bytes(
    open_service: OpenService, redactor: WordRedactor
) -> None:
    service = start(open_service, redactor, text={"patient_table_rows": 2})
    table = service.pipeline().deidentify(
        make_notes(), patients=make_patients(), **ASKED
    )
    assert catch(table.read_all) == "BATCH_TOO_LARGE"

    service = open_service(
        overrides={"redactor": redactor}, text={"patient_table_bytes": 1 << 20}
    )
    long = pa.table({"number": NUMBERS, "forename": ["x" * (1 << 20)] * 3})
    table = service.pipeline().deidentify(make_notes(), patients=long, **ASKED)
    assert catch(table.read_all) == "BATCH_TOO_LARGE"


def test_patients_come_once_in_order_and_before_the_table(
    texts: RunningService,
) -> None:
    patients = PatientTable.read(make_patients())
    (own,) = patients.write_requests()
    (batch,) = make_notes().to_batches()
    message = pb.TableBatch(
        sequence=0, row_count=4, data=batch.serialize().to_pybytes()
    )
    header = make_header(batch.schema, policy="notes@1")
    header.header.patient_table.CopyFrom(patients.announce())
    table = pb.DeidentifyTableRequest(batch=message)
    skipped = pb.DeidentifyTableRequest(patients=pb.PatientBatch(sequence=1))
    bare = make_header(policy="cohort@1")
    for requests, code in (
        ((header, own, own), "BATCH_OUT_OF_ORDER"),
        ((header, skipped), "BATCH_OUT_OF_ORDER"),
        ((header, table), "PATIENT_TABLE_REFUSED"),
        ((header, own, table, own), "BATCH_OUT_OF_ORDER"),
        ((bare, own), "BATCH_OUT_OF_ORDER"),
    ):
        wire = TableWire(texts).send(*requests)
        if (
            code != "BATCH_OUT_OF_ORDER"
            or requests[-1] is not own
            or len(requests) != 3
        ):
            assert wire.catch().code == code
            continue
        # Twice the same batch: more rows than were announced, or out of order.
        assert wire.catch().code in {code, "PATIENT_TABLE_REFUSED"}


def test_tables_with_text_are_asked_for_in_small_batches(texts: RunningService) -> None:
    (batch,) = make_notes().to_batches()
    header = make_header(batch.schema, policy="notes@1")
    header.header.patient_table.CopyFrom(PatientTable.read(make_patients()).announce())
    wire = TableWire(texts).send(header)
    assert wire.receive().opened.maximum_rows == TEXT_BATCH_ROWS
    wire.cancel()


@pytest.mark.parametrize("failing", FAILING, ids=lambda kind: kind.__name__)
def test_whatever_fails_no_text_comes_back(
    open_service: OpenService, failing: type[WordRedactor]
) -> None:
    service = start(open_service, failing())
    client = service.pipeline()
    table = client.deidentify(make_notes(), patients=make_patients(), **ASKED)
    assert table.read_all()["note"].null_count == 4
    assert table.quality["note"] == {"failed": 3, "missing": 1}
    answer = client.redact_text([Text(text="Ottilie came")] * 3, column="note", **ASKED)
    assert [(each.text, each.withheld) for each in answer.texts] == [
        (None, "failed")
    ] * 3


def test_without_a_mode_in_the_configuration_texts_are_withheld(
    service: RunningService,
) -> None:
    service.custodian().register_policy(write_notes_policy("asthma"))
    client = service.pipeline()
    table = client.deidentify(make_notes(), patients=make_patients(), **ASKED)
    assert table.read_all()["note"].null_count == 4
    assert table.quality["note"] == {"withheld": 3, "missing": 1}
    answer = client.redact_text([Text(text="Ottilie")], column="note", **ASKED)
    assert answer.texts[0].withheld == "withheld"


def test_single_texts_are_redacted_as_the_column_says(
    texts: RunningService, redactor: WordRedactor
) -> None:
    number = f"{NUMBERS[0][:3]} {NUMBERS[0][3:]}"
    own = Text(
        text=f"Ada, {NUMBERS[0]}, on 2024-05-01",
        patient=number,
        known=KnownIdentifiers(names=("Ada",)),
    )
    nobody = Text(text="Bob", known=KnownIdentifiers(people=("Bob",)))
    bad = Text(text="Cy", patient="999 000 0000")

    answer = texts.pipeline().redact_text([own, nobody, bad], column="note", **ASKED)

    first, second, third = answer.texts
    pseudonym = texts.pseudonymise(NUMBERS[0])
    days = redactor.asked[0][0].shift_days
    assert first.text is not None
    assert first.text.startswith(f"[NAMES], {pseudonym}, on <{days}> (")
    assert (second.text, second.withheld) == ("[PEOPLE]", None)
    assert (third.text, third.patient_refusal) == ("Cy", "bad_check_digit")
    assert answer.found == {"NAME": 2}
    # The same offset, and the same surrogates, as in a table.
    texts.pipeline().deidentify(
        make_notes(), patients=make_patients(), **ASKED
    ).read_all()
    in_table = next(
        row for row, _ in redactor.asked[3:] if NUMBERS[0] in dict(row.pseudonyms)
    )
    assert in_table.shift_days == days
    assert in_table.surrogate_key == redactor.asked[0][0].surrogate_key


def test_an_answered_pseudonym_is_on_record_and_so_is_the_call(
    texts: RunningService,
) -> None:
    before = read_stored_events(texts.config, "texts_intent")
    texts.pipeline().redact_text(
        [Text(text="x", patient=NUMBERS[2])], column="note", **ASKED
    )
    # Chains come in the order of their names, which are drawn: the last is not the newest.
    after = read_stored_events(texts.config, "texts_intent")
    (intent,) = [event for event in after if event not in before]
    assert intent["details"]["asked"] == 1
    assert intent["details"]["policy"] == "asthma/notes@1"


def test_texts_count_against_the_quota(
    open_service: OpenService, redactor: WordRedactor
) -> None:
    service = open_service(overrides={"redactor": redactor})
    service.create_project("kidney", quota=2)
    service.custodian().register_policy(write_notes_policy("kidney"))
    asked = {**ASKED, "project": "kidney"}
    patients = [Text(text="x", patient=number) for number in NUMBERS]
    assert (
        catch(
            lambda: service.pipeline("kidney").redact_text(
                patients, column="note", **asked
            )
        )
        == "QUOTA_EXCEEDED"
    )


def test_texts_of_opted_out_patients_are_withheld(
    open_service: OpenService, redactor: WordRedactor
) -> None:
    service = open_service(overrides={"redactor": redactor})
    rule = OptOuts(application="applied", legal_basis="s251", uncheckable="remove")
    service.create_project("kidney", opt_outs=rule)
    service.custodian().register_policy(write_notes_policy("kidney"))
    service.custodian().load_opt_outs(
        kind="opt_out",
        expires_at=service.clock.now() + timedelta(days=7),
        entries=1,
        chunks=[[NUMBERS[0]]],
    )
    asked = {**ASKED, "project": "kidney"}

    answer = service.pipeline("kidney").redact_text(
        [
            Text(text="x", patient=NUMBERS[0]),
            Text(text="y"),
            Text(text="z", patient=NUMBERS[1]),
        ],
        column="note",
        **asked,
    )

    assert [each.withheld for each in answer.texts] == ["opt_out", "uncheckable", None]
    assert [row.text for row, _ in redactor.asked] == ["z"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"column": "written"}, "INVALID_ARGUMENT"),
        ({"column": "nothing"}, "INVALID_ARGUMENT"),
        ({"policy": "notes@7"}, "POLICY_UNKNOWN"),
        ({"purpose": ""}, "PURPOSE_MISSING"),
        ({"project": "stroke"}, "ACCESS_DENIED"),
        ({"texts": [Text(text="x", patient="1", patient_kind="mrn@RXH")]}, "INVALID_ARGUMENT"),
        ({"texts": [Text(text="x" * (9 << 20))]}, "BATCH_TOO_LARGE"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_asked_of_texts_is_refused(
    texts: RunningService, changed: dict[str, Any], code: str
) -> None:
    asked = {"texts": [Text(text="x")], "column": "note", **ASKED, **changed}
    assert catch(lambda: texts.pipeline().redact_text(**asked)) == code


def test_researchers_have_no_texts_redacted(texts: RunningService) -> None:
    client = texts.client("researcher:asthma")
    assert (
        catch(lambda: client.redact_text([Text(text="x")], column="note", **ASKED))
        == "ACCESS_DENIED"
    )


def test_the_redactor_is_closed_with_the_service(
    state: Path, redactor: WordRedactor
) -> None:
    with run_service(choose_config(state), overrides={"redactor": redactor}):
        assert not redactor.closed
    assert redactor.closed
