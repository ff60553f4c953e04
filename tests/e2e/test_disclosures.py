"""Who was released is on record: recalled when opted out, and located when asked."""

import contextlib
import functools
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from pseudo_client import OptOuts, PseudoClientError
from pseudo_service.core.access.roles import Actor
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.disclosures.unrecorded import UnaccountedOperation
from pseudo_service.core.errors import (
    AccessDenied,
    GrantSpent,
    InvalidArgument,
    KeyVaultUnavailable,
    OptOutListStale,
    PurposeMissing,
    RegisterCorrupt,
)
from pseudo_service.engine.disclosures.writer import DisclosureCollector
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.engine.tables import batch_commit
from tests.lib.harnesses.disclosure_desk import (
    DisclosureDesk,
    make_officer,
    open_disclosure_desk,
)
from tests.lib.services.served import (
    ServerPool,
    await_serving,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.services.service import RunningService
from tests.lib.services.wire import TableWire, make_end, make_header, make_message
from tests.lib.values.cohort import PURPOSE, make_batch, make_cohort, make_numbers
from tests.lib.values.trail import read_stored_events

NUMBERS = make_numbers(70_000, 12)
APPLIED = OptOuts(
    application="applied", legal_basis="section 251", uncheckable="remove"
)
DATED_POLICY = """
policy: asthma/dated@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: drop}
  surname: {treatment: drop}
  postcode: {treatment: drop}
  born: {treatment: drop}
  admitted: {treatment: shift_date}
  score: {treatment: keep, reason: outcome of the study}
"""


@pytest.fixture
def kidney(service: RunningService) -> RunningService:
    """A service with a project that applies opt-outs, and a list that names nobody."""
    service.create_project("kidney", opt_outs=APPLIED)
    load(service, make_numbers(79_000, 1))
    return service


@pytest.fixture
def desk(service: RunningService) -> Iterator[DisclosureDesk]:
    with open_disclosure_desk(service) as desk:
        yield desk


def load(
    service: RunningService, numbers: Sequence[str], *, kind: str = "opt_out"
) -> str:
    loaded = service.custodian().load_opt_outs(
        kind=kind,
        expires_at=service.clock.now() + timedelta(days=7),
        entries=len(numbers),
        chunks=[list(numbers)],
    )
    return loaded.list_id


def release(
    service: RunningService, numbers: Sequence[str], project: str = "kidney"
) -> list[str]:
    """Return a table's pseudonyms."""
    answer = service.deidentify(make_cohort(numbers), project)
    pseudonyms: list[str] = answer["patient"].to_pylist()
    return pseudonyms


def test_recall_names_released_people_who_are_opted_out_now(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    pseudonyms = release(kidney, NUMBERS[:8])
    (single,) = [kidney.pseudonymise(NUMBERS[8], "kidney")]
    release(kidney, NUMBERS, "asthma")  # other projects do not matter
    list_id = load(kidney, [*NUMBERS[:3], NUMBERS[8], NUMBERS[11]])

    recalled, report = desk.recall("kidney")

    assert sorted(recalled) == sorted([*pseudonyms[:3], single])
    assert recalled == sorted(recalled)
    assert (report.people_released, report.people_opted_out) == (9, 4)
    assert (report.pseudonyms, report.opt_out_list) == (4, list_id)
    assert report.unaccounted == []


def test_recall_of_an_allow_list_names_whom_it_leaves_out(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    pseudonyms = release(kidney, NUMBERS[:5])
    load(kidney, NUMBERS[1:5], kind="allow")
    recalled, report = desk.recall("kidney")
    assert recalled == pseudonyms[:1]
    assert report.people_opted_out == 1


def test_recall_covers_every_key_version_released_under(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    before = release(kidney, NUMBERS[:4])
    kidney.custodian().rotate_key("kidney", current_version=1, reason="yearly")
    after = release(kidney, NUMBERS[2:6])
    load(kidney, NUMBERS[1:5])
    recalled, report = desk.recall("kidney")
    assert sorted(recalled) == sorted([*before[1:4], *after[:3]])
    assert (report.people_opted_out, report.pseudonyms) == (4, 6)


def test_recall_is_on_record_before_and_after(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    release(kidney, NUMBERS[:2])
    load(kidney, NUMBERS[:1])
    desk.recall("kidney")
    (intent,) = read_stored_events(kidney.config, "recall_intent")
    (result,) = read_stored_events(kidney.config, "recalled")
    assert intent["operation"] == result["operation"]
    assert (intent["project"], intent["details"]["purpose"]) == ("kidney", PURPOSE)
    assert result["details"]["pseudonyms"] == 1


def test_recall_refuses_whom_and_what_it_must(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    officer = make_officer("kidney")

    def ask(project: str, actor: Actor, purpose: str = PURPOSE) -> None:
        desk.recalling.recall(project, purpose=purpose, actor=actor)

    with pytest.raises(AccessDenied):
        ask("kidney", make_officer("asthma"))
    with pytest.raises(PurposeMissing):
        ask("kidney", officer, "")
    with pytest.raises(InvalidArgument, match="does not apply opt-outs"):
        ask("asthma", make_officer("asthma"))
    kidney.clock.advance(days=8)
    with pytest.raises(OptOutListStale):
        ask("kidney", officer)
    assert read_stored_events(kidney.config, "recall_intent") == []


def edit_database(service: RunningService, statement: str) -> None:
    path = service.config.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


EDITS = {
    "it is given to another project": "UPDATE memberships SET project = 'kidney' "
    "WHERE project = 'asthma'",
    "its content is another's": "UPDATE memberships SET sealed = zeroblob(64)",
    "its key version is another": "UPDATE memberships SET key_version = 2",
    "it counts less": "UPDATE memberships SET count = 1",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_disclosure_ends_a_recall(
    edit: str, kidney: RunningService, desk: DisclosureDesk
) -> None:
    release(kidney, NUMBERS[:3])
    release(kidney, NUMBERS[:3], "asthma")
    edit_database(kidney, EDITS[edit])
    with pytest.raises(RegisterCorrupt, match="disclosure"):
        desk.recall("kidney")


def test_whoever_is_gone_from_the_register_is_told_of(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    release(kidney, NUMBERS[:3])
    edit_database(kidney, "DELETE FROM segments")
    _, report = desk.recall("kidney")
    assert report.people_released == 3
    assert report.unaccounted[0].startswith("3 released people are not in the register")


def test_a_stream_that_runs_or_was_left_is_unaccounted_until_it_ends(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    stream = TableWire(kidney, project="kidney").send(
        make_header(project="kidney", operation_id="left-alone", part=3)
    )
    schema = stream.open()
    assert desk.unaccounted.find("kidney") == []  # nothing has left yet
    stream.send(make_message(0, make_batch(NUMBERS[:4])))
    stream.receive_batch(schema)
    (found,) = desk.unaccounted.find("kidney")
    assert isinstance(found, UnaccountedOperation)
    assert (found.operation, found.part) == ("left-alone", 3)
    assert desk.unaccounted.find("asthma") == []
    _, report = desk.recall("kidney")
    assert report.unaccounted == [found.describe()]
    stream.send(make_end(1, 4)).close().drain()
    assert desk.unaccounted.find(None) == []


def test_a_stream_that_fails_records_whose_answers_left(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    stream = TableWire(kidney, project="kidney").send(make_header(project="kidney"))
    schema = stream.open()
    stream.send(make_message(0, make_batch(NUMBERS[:4])))
    pseudonyms = stream.receive_batch(schema)["patient"].to_pylist()
    stream.send(make_message(5, make_batch(NUMBERS[4:])))
    assert stream.catch().code == "BATCH_OUT_OF_ORDER"
    ((disclosure, members),) = desk.open("kidney")
    assert (disclosure.count, len(members)) == (4, 4)
    load(kidney, NUMBERS[:4])
    recalled, report = desk.recall("kidney")
    assert recalled == sorted(pseudonyms)
    assert report.unaccounted == []
    (failed,) = read_stored_events(kidney.config, "table_failed")
    assert failed["details"]["membership"] == "recorded"


def test_a_failed_stream_that_cannot_be_recorded_stays_unaccounted(
    service: RunningService, desk: DisclosureDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        msg = "the vault does not answer"
        raise KeyVaultUnavailable(msg)

    stream = TableWire(service).send(make_header(operation_id="without-a-vault"))
    schema = stream.open()
    stream.send(make_message(0, make_batch(NUMBERS[:4])))
    stream.receive_batch(schema)
    monkeypatch.setattr(RegisterWriter, "seal_members", refuse)
    stream.send(make_end(1, 4))
    assert stream.catch().code == "KEY_VAULT_UNAVAILABLE"
    (found,) = desk.unaccounted.find("asthma")
    assert isinstance(found, UnaccountedOperation)
    assert found.operation == "without-a-vault"
    (failed,) = read_stored_events(service.config, "table_failed")
    assert failed["details"]["membership"] == "missing"


def test_a_long_stream_records_its_people_on_the_way(
    service: RunningService, desk: DisclosureDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = functools.partial(DisclosureCollector, most=6)
    monkeypatch.setattr(batch_commit, "DisclosureCollector", small)
    stream = TableWire(service).send(make_header())
    schema = stream.open()
    for sequence in range(3):
        numbers = NUMBERS[4 * sequence : 4 * sequence + 4]
        stream.send(make_message(sequence, make_batch(numbers)))
        stream.receive_batch(schema)
    assert [len(members) for _, members in desk.open("asthma")] == [8]
    stream.send(make_end(3, 12)).close().drain()
    assert [len(members) for _, members in desk.open("asthma")] == [8, 4]
    assert len(read_stored_events(service.config, "membership_recorded")) == 1
    (row,) = desk.locate(NUMBERS[0]).rows
    assert row.operations == 1


def test_a_killed_stream_is_named_until_the_very_same_is_sent_again(
    state: Path,
) -> None:
    nursery = ServerPool(state.parent)
    with hold_free_port() as port, contextlib.closing(nursery):
        config = write_config(state, port)
        service = describe_service(state, port)
        nursery.start(config)
        await_serving(service)
        stream = TableWire(service).send(make_header(operation_id="killed-run"))
        schema = stream.open()
        stream.send(make_message(0, make_batch(NUMBERS[:4])))
        stream.receive_batch(schema)
        nursery.end(signal.SIGKILL)
        stream.cancel()
        service.closing.close()
        with open_disclosure_desk(service) as desk:
            (found,) = desk.unaccounted.find("asthma")
            assert desk.open("asthma") == []
        # Who sends it again may take other people for it: those hide nobody.
        for numbers, left in ((NUMBERS[4:8], 1), (NUMBERS[:4], 0)):
            service = describe_service(state, port)
            nursery.start(config)
            await_serving(service)
            stream = TableWire(service).send(make_header(operation_id="killed-run"))
            stream.open()
            stream.send(make_message(0, make_batch(numbers)))
            stream.send(make_end(1, 4)).close().drain()
            nursery.end(signal.SIGTERM)
            service.closing.close()
            with open_disclosure_desk(service) as desk:
                assert len(desk.unaccounted.find("asthma")) == left
    assert isinstance(found, UnaccountedOperation)
    assert found.operation == "killed-run"


def test_locate_tells_where_when_and_how_often(
    service: RunningService, desk: DisclosureDesk
) -> None:
    started = service.clock.now()
    release(service, NUMBERS[:3], "asthma")
    service.clock.advance(days=2)
    service.pseudonymise(NUMBERS[0])
    service.custodian().register_policy(DATED_POLICY)
    service.pipeline("asthma").deidentify(
        make_cohort(NUMBERS[:2]), project="asthma", policy="dated@1", purpose=PURPOSE
    ).read_all()
    release(service, NUMBERS[2:4], "stroke")

    located = desk.locate(NUMBERS[0])

    rows = [
        (row.project, row.use, row.key_version, row.operations) for row in located.rows
    ]
    assert rows == [
        ("asthma", DisclosureUse.DATES, 1, 1),
        ("asthma", DisclosureUse.PSEUDONYM, 1, 2),
    ]
    named = located.rows[1]
    assert (named.last - named.first) >= timedelta(days=2)
    assert abs(named.first - started) < timedelta(minutes=1)
    assert located.unaccounted == []
    assert {row.project for row in desk.locate(NUMBERS[2]).rows} == {"asthma", "stroke"}
    assert desk.locate(NUMBERS[9]).rows == []


def test_a_run_of_several_parts_is_one_operation(
    service: RunningService, desk: DisclosureDesk
) -> None:
    for part in range(3):
        stream = TableWire(service).send(
            make_header(operation_id="run-of-parts", part=part),
            make_message(0, make_batch(NUMBERS[:4])),
            make_end(1, 4),
        )
        stream.close().drain()
    (row,) = desk.locate(NUMBERS[0]).rows
    assert row.operations == 1


def test_locating_spends_the_grant(
    service: RunningService, desk: DisclosureDesk
) -> None:
    grant = RegisterGrant(operation="test")
    subject = desk.name(NUMBERS[0])
    desk.location.locate(grant, subjects=[subject])
    with pytest.raises(GrantSpent):
        desk.location.locate(grant, subjects=[subject])


@pytest.mark.parametrize(
    "subject", ["", "nhs_number", "nhs_number:12", f"nhs_number:{'A' * 32}", "a:b:c"]
)
def test_other_subjects_are_refused(subject: str, desk: DisclosureDesk) -> None:
    with pytest.raises(InvalidArgument):
        desk.location.locate(RegisterGrant(operation="test"), subjects=[subject])


def test_an_operation_whose_call_was_refused_leaves_no_disclosure(
    kidney: RunningService, desk: DisclosureDesk
) -> None:
    load(kidney, NUMBERS[:1])
    with pytest.raises(PseudoClientError):
        kidney.pseudonymise(NUMBERS[1], "unknown-project")
    assert kidney.pseudonymise(NUMBERS[0], "kidney") is None  # opted out
    assert desk.open("kidney") == []
    assert desk.unaccounted.find(None) == []
