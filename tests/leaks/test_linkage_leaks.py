"""The linkage desk shows nobody to anybody but the officer: canaries through its paths."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from pseudo_client import PseudoClientError
from pseudo_service.api.v1 import linkage_pb2, register_pb2
from pseudo_service.core.errors import StoreUnavailable
from pseudo_service.engine import release
from pseudo_service.engine.register_opening import RegisterOpening
from tests.leaks import every_call
from tests.leaks.test_embedded_leaks import show_all_objects
from tests.lib.canaries import (
    BAD_NUMBER,
    MRN,
    NUMBERS,
    SURNAME,
    Canaries,
    collect_keys,
    make_canary_table,
)
from tests.lib.linkage_people import People, vote
from tests.lib.service import RunningService
from tests.lib.trail import read_stored_events

SERVICES = (
    linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"],
    register_pb2.DESCRIPTOR.services_by_name["RegisterService"],
)
EVERYTHING = (
    "linkage_officer:asthma",
    "guardian:asthma",
    "custodian",
    "auditor",
)


@pytest.fixture
def people(service: RunningService) -> People:
    return People(service=service)


@pytest.fixture
def wanted(people: People) -> list[str]:
    found: list[str] = people.service.deidentify(make_canary_table())[
        "patient"
    ].to_pylist()
    return found


def read_database(service: RunningService) -> bytes:
    """Return all bytes of the database's files."""
    return b"".join(
        path.read_bytes() for path in service.state.glob("*sqlite*") if path.is_file()
    )


def test_nothing_shows_a_patient_while_all_of_them_lie_open(
    people: People,
    wanted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    seal = release.seal_result

    def look_and_seal(*given: Any) -> bytes:
        assert any(NUMBERS[0] in str(each) for each in given)  # it is there to be seen
        shown.append(show_all_objects())
        return seal(*given)

    monkeypatch.setattr(release, "seal_result", look_and_seal)
    asked = people.ask_and_approve(wanted)
    sealed = people.mara.redeem_linkage(asked.request_id)
    located = people.submit(
        verb="locate",
        identifier=NUMBERS[0],
        kind="nhs_number",
        legal_basis="subject_request",
    )
    people.gwen.trace_subject(
        NUMBERS[0], kind="nhs_number", purpose="a complaint", project="asthma"
    )
    assert len(shown) == 1
    assert len(people.open(sealed, asked).rows) == len(NUMBERS)
    canaries = Canaries()
    canaries.secrets |= collect_keys(people.service.config)
    for where in (
        *shown,
        caplog.text,
        repr(people.service.telemetry.__dict__),
        repr(read_stored_events(people.service.config)),
        repr(people.gwen.get_linkage(located.request_id)),
        repr(sealed),
        read_database(people.service),
    ):
        assert canaries.find(where) == []
    assert read_database(people.service)


def test_what_is_refused_repeats_nothing(
    people: People, wanted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = people.submit(wanted)
    locating = {"verb": "locate", "legal_basis": "subject_request"}
    calls: list[Callable[[], object]] = [
        lambda: people.submit([NUMBERS[0]]),
        lambda: people.submit(wanted, purpose=f"look up {NUMBERS[0]}"),
        lambda: people.submit(wanted, consent_reference=f"of {NUMBERS[0]}"),
        lambda: people.submit(wanted, redeemer=f"{SURNAME}\n"),
        lambda: people.submit(wanted, verb=SURNAME),
        lambda: people.submit(wanted, project=NUMBERS[0]),
        lambda: people.submit(identifier=BAD_NUMBER, kind="nhs_number", **locating),
        lambda: people.submit(identifier=NUMBERS[0], kind=MRN, **locating),
        lambda: people.submit(identifier=SURNAME, kind="nhs_number", **locating),
        lambda: vote(people.gwen, asked, reason=f"it is {NUMBERS[0]}"),
        lambda: vote(people.gwen, asked, decision=SURNAME),
        lambda: people.mara.withdraw_linkage(asked.request_id, reason=NUMBERS[0]),
        lambda: people.mara.redeem_linkage(NUMBERS[0]),
        lambda: people.gwen.get_linkage(NUMBERS[0]),
        lambda: list(people.gwen.list_linkages("asthma", states=[NUMBERS[0]])),
        lambda: people.gwen.trace_subject(
            BAD_NUMBER, kind="nhs_number", purpose="a look", project="asthma"
        ),
    ]
    said = []
    for call in calls:
        with pytest.raises(PseudoClientError) as caught:
            call()
        error = caught.value
        assert error.code not in {"INTERNAL", "UNKNOWN"}
        said.append(f"{error!r} {error.message} {error.__context__!r}")
    events = repr(read_stored_events(people.service.config))
    for where in (*said, caplog.text, events):
        assert Canaries().find(where) == []


def test_a_release_that_breaks_carries_nothing_out(
    people: People,
    wanted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for error in (ValueError(NUMBERS[0]), StoreUnavailable("try again")):

        def fail(*_: Any, cause: Exception = error, **__: Any) -> Any:
            raise cause

        asked = people.ask_and_approve(wanted)
        with monkeypatch.context() as patched:
            patched.setattr(RegisterOpening, "scan", fail)
            with pytest.raises(PseudoClientError) as caught:
                people.mara.redeem_linkage(asked.request_id)
        said.append(f"{caught.value!r} {caught.value.code}")
    assert [each.rsplit(" ", 1)[1] for each in said] == [
        "INTERNAL",
        "STORE_UNAVAILABLE",
    ]
    assert Canaries().find(" ".join([*said, caplog.text])) == []


def test_no_field_of_any_method_comes_back_or_is_kept(
    people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(every_call, "SERVICES", SERVICES)
    canaries = Canaries()
    token = canaries.add_token(people.be("x", *EVERYTHING)._caller._connection._token)
    came_back = []
    for bearer in (token, "", NUMBERS[0]):
        came_back += every_call._fill_every_method(people.service, bearer)
    assert len(came_back) > 100
    for where in (*came_back, caplog.text):
        assert canaries.find(where) == []
    # A reason or an order is words, and words may name somebody: numbers are refused.
    numbers = {n: text for n, text in canaries.texts.items() if n.startswith("number")}
    events = repr(read_stored_events(people.service.config))
    assert Canaries(numbers).find(events) == []
