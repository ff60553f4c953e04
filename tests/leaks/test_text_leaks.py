"""Texts and what is known of their patients show nowhere, also when redaction fails."""

import json
import logging

import pytest

from pseudo_client import KnownIdentifiers, Text
from tests.lib.harnesses.redactors import BrokenRedactor, WordRedactor
from tests.lib.services.service import OpenService
from tests.lib.values.cohort import PURPOSE
from tests.lib.values.notes import (
    NAMES,
    NUMBERS,
    make_notes,
    make_patients,
    write_notes_policy,
)
from tests.lib.values.trail import read_stored_events

ASKED = {"project": "asthma", "policy": "notes@1", "purpose": PURPOSE}
SECRET_WORD = "Zebulonia"
CANARIES = (*NAMES, *NUMBERS, SECRET_WORD, "came on")


def find(where: str) -> list[str]:
    return [canary for canary in CANARIES if canary in where]


@pytest.mark.parametrize("kind", [WordRedactor, BrokenRedactor])
def test_nothing_of_texts_in_logs_trail_receipts_or_files(
    open_service: OpenService,
    kind: type[WordRedactor],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    service = open_service(overrides={"redactor": kind()})
    service.custodian().register_policy(write_notes_policy("asthma"))
    client = service.pipeline()
    table = client.deidentify(make_notes(), patients=make_patients(), **ASKED)
    released = table.read_all()
    answer = client.redact_text(
        [
            Text(
                text=f"{SECRET_WORD} came on",
                patient=NUMBERS[0],
                known=KnownIdentifiers(names=(SECRET_WORD,)),
            )
        ],
        column="note",
        **ASKED,
    )
    records = "".join(f"{record.__dict__!r}" for record in caplog.records)
    places = {
        "log records": caplog.text + records,
        "what was printed": "".join(capfd.readouterr()),
        "telemetry": repr(service.telemetry.__dict__),
        "the trail": json.dumps(read_stored_events(service.config), default=repr),
        "the receipt": repr(table.receipt) + repr(table.pins),
        "reprs of the client": repr(answer) + repr(Text(text=SECRET_WORD)),
    }
    for path in service.state.rglob("*"):
        if path.is_file():
            places[path.name] = path.read_bytes().decode("utf-8", errors="replace")
    assert {name: find(text) for name, text in places.items() if find(text)} == {}
    names = repr(released.to_pylist())
    assert not [name for name in (*NAMES, *NUMBERS) if name in names]
