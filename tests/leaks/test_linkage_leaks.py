"""The linkage desk shows nobody to anybody but the officer: canaries through its paths."""

import logging
from typing import Any

import pytest

from pseudo_client import PseudoClientError
from pseudo_service.core.errors import StoreUnavailable
from pseudo_service.engine.linkage import release
from pseudo_service.engine.register.opening import RegisterOpening
from tests.leaks.every_linkage_call import (
    WatchedPeople,
    make_linkage_calls,
    refuse_linkage_calls,
)
from tests.leaks.test_embedded_leaks import show_all_objects
from tests.lib.services.service import RunningService
from tests.lib.values.canaries import (
    NUMBERS,
    Canaries,
    collect_keys,
    make_canary_table,
    read_files,
)
from tests.lib.values.linkage_people import People
from tests.lib.values.trail import read_stored_events


@pytest.fixture
def people(service: RunningService) -> People:
    return People(service=service)


@pytest.fixture
def wanted(people: People) -> list[str]:
    found: list[str] = people.service.deidentify(make_canary_table())[
        "patient"
    ].to_pylist()
    return found


def read_state(service: RunningService) -> list[bytes]:
    """Return all files of the state: the database, its log, keys and checkpoints."""
    files = read_files(service.state)
    assert len(files["pseudo.sqlite"]) + len(files["pseudo.sqlite-wal"]) > 100_000
    return [name.encode() + b" " + data for name, data in files.items()]


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
        *read_state(people.service),
    ):
        assert canaries.find(where) == []


def test_what_is_refused_repeats_nothing(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for call in refuse_linkage_calls(people):
        with pytest.raises(PseudoClientError) as caught:
            call()
        error = caught.value
        assert error.code not in {"INTERNAL", "UNKNOWN"}
        said.append(f"{error!r} {error.message} {error.__context__!r}")
    assert len(said) > 50
    events = repr(read_stored_events(people.service.config))
    for where in (*said, caplog.text, events, *read_state(people.service)):
        assert Canaries().find(where) == []


def test_what_is_answered_names_nobody_even_when_it_is_read_whole(
    service: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """The same as a process of its own is asked, and a project's end with it."""
    caplog.set_level(logging.DEBUG)
    canaries = Canaries()
    people = WatchedPeople(service=service, canaries=canaries)
    came_back = make_linkage_calls(people)
    before = collect_keys(service.config)
    service.clock.advance(days=7, minutes=1)
    people.known.clear()  # tokens are of an hour
    came_back.append(repr(people.custodian.destroy_project("kidney")))
    canaries.secrets |= before
    canaries.secrets |= collect_keys(service.config)
    events = read_stored_events(service.config)
    assert "project_destroyed" in {event["kind"] for event in events}
    for where in (
        "\n".join(came_back),
        caplog.text,
        repr(service.telemetry.__dict__),
        repr(events),
        *read_state(service),
    ):
        assert canaries.find(where) == []


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
    for where in (*said, caplog.text, *read_state(people.service)):
        assert Canaries().find(where) == []
