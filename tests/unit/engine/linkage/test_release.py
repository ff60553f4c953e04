"""Redeeming: what is released, once, to whom, and what is refused."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    AccessDenied,
    GrantRefused,
    GrantSpent,
    KeyVaultUnavailable,
    OptOutListMissing,
    ProjectNotActive,
    PseudoError,
    RequestExpired,
    RequestState,
    RequestUnknown,
    StoreUnavailable,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import seal_result
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    ProjectState,
)
from pseudo_service.ports.key_vault import Wrapped
from pseudo_service.ports.linkage_requests import KeptResult
from tests.lib.harnesses.linkage_fakes import (
    COLLEAGUE,
    GUARDIAN,
    NUMBERS,
    OFFICER,
    SECOND_GUARDIAN,
    STRANGER,
    STROKE_GUARDIAN,
    THIRD,
    Bench,
    code_subject,
    open_result,
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_exactly_the_listed_people_are_named_to_the_officer(bench: Bench) -> None:
    request = bench.approved(*NUMBERS[:3])
    release = bench.redeem(request)
    result = json.loads(open_result(release))
    by_subject = {row["subject"]: row for row in result["rows"]}
    assert [row["subject"] for row in result["rows"]] == list(request.subjects)
    for number in NUMBERS[:3]:
        row = by_subject[bench.pseudonym(number)]
        assert row["identifier"] == number
        assert (row["outcome"], row["kind"]) == ("found", "nhs_number")
    assert result["digest"] == request.digest().hex() == release.digest.hex()
    assert release.released_now
    assert bench.state(request) is LinkageState.RELEASED


def test_the_sealed_result_opens_for_this_request_only(bench: Bench) -> None:
    first = bench.redeem(bench.approved(NUMBERS[0]))
    second = bench.redeem(bench.approved(NUMBERS[0]))
    with pytest.raises(InvalidTag):
        open_result(replace(first, digest=second.digest))


def test_the_trail_names_codes_and_counts_but_nobody(bench: Bench) -> None:
    unknown = bench.pseudonym("9990000069")
    request = bench.approved(pseudonyms=[bench.pseudonym(NUMBERS[0]), unknown])
    bench.redeem(request)
    (subjects,) = bench.events(AuditKind.LINKAGE_SUBJECTS)
    details = json.loads(subjects.body)["details"]
    assert details["codes"] == code_subject(bench.root, NUMBERS[0])
    assert (details["found"], details["unknown"], details["listed"]) == (1, 1, 1)
    everything = "".join(e.body for chain in bench.log.events.values() for e in chain)
    assert NUMBERS[0] not in everything
    assert bench.pseudonym(NUMBERS[0]) not in everything
    (released,) = bench.events(AuditKind.LINKAGE_RELEASED)
    assert json.loads(released.body)["details"]["found"] == 1


def test_subject_codes_are_split_over_events(bench: Bench) -> None:
    codes = [f"{n:032x}" for n in range(250)]
    request = bench.submit()
    events = list(
        bench.records.describe_subjects(
            request, codes, at=bench.clock.now(), step=4, counts={"found": 250}
        )
    )
    assert [event.details["listed"] for event in events] == [100, 100, 50]
    assert ",".join(str(e.details["codes"]) for e in events).split(",") == codes


def test_a_translation_needs_a_guardian_of_each_project(bench: Bench) -> None:
    request = bench.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    state = bench.vote(request, GUARDIAN, SECOND_GUARDIAN, COLLEAGUE)
    assert state is LinkageState.PARTIALLY_REVIEWED
    with pytest.raises(RequestState):
        bench.redeem(request)
    assert bench.vote(request, STROKE_GUARDIAN) is LinkageState.APPROVED
    assert bench.redeem(request).released_now


def test_a_missing_opt_out_list_uses_no_approval_up(bench: Bench) -> None:
    request = bench.translation(NUMBERS[0])
    rule = OptOutRule(application=OptOutApplication.APPLIED, legal_basis="s251")
    bench.change_project("stroke", opt_outs=rule)
    with pytest.raises(OptOutListMissing):
        bench.redeem(request)
    assert bench.state(request) is LinkageState.APPROVED
    bench.apply_opt_outs("stroke", NUMBERS[4])
    assert bench.redeem(request).released_now


def test_a_vault_that_does_not_unwrap_uses_no_approval_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = bench.approved()
    unwrap = bench.vault.unwrap

    def refuse_linkage(wrapped: Wrapped) -> bytes:
        if bench.vault.key_name(wrapped.key_id) == "linkage":
            msg = "the vault does not answer"
            raise KeyVaultUnavailable(msg)
        return unwrap(wrapped)

    with monkeypatch.context() as patched:
        patched.setattr(bench.vault, "unwrap", refuse_linkage)
        with pytest.raises(KeyVaultUnavailable):
            bench.redeem(request)
    assert bench.state(request) is LinkageState.APPROVED
    assert not bench.events(AuditKind.LINKAGE_RELEASE_INTENT)
    assert bench.redeem(request).released_now


def test_a_person_is_located_without_keeping_the_number(bench: Bench) -> None:
    request = bench.submit(
        verb=LinkageVerb.LOCATE,
        legal_basis=LegalBasis.SUBJECT_REQUEST,
        pseudonyms=(),
        identifier=NUMBERS[0],
        kind="nhs_number",
    )
    assert request.subjects[0].startswith("nhs_number:")
    assert NUMBERS[0] not in repr(bench.requests.stored)
    bench.vote(request, COLLEAGUE, GUARDIAN)
    result = json.loads(open_result(bench.redeem(request)))
    assert bench.location.asked == list(request.subjects)
    assert result["rows"][0]["project"] == "stroke"
    assert len(result["unaccounted_operations"]) == 1
    (subjects,) = bench.events(AuditKind.LINKAGE_SUBJECTS)
    assert code_subject(bench.root, NUMBERS[0]) in subjects.body
    detail = bench.desk.get(request.request_id, actor=GUARDIAN)
    assert detail.pseudonyms == ()


def test_the_kept_result_is_fetched_without_opening_anything(bench: Bench) -> None:
    request = bench.approved()
    first = bench.redeem(request)
    bench.start()
    again = bench.redeem(request)
    assert bench.opening.opened == 0
    assert (again.sealed, again.released_now) == (first.sealed, False)
    assert len(bench.events(AuditKind.LINKAGE_FETCHED)) == 1
    bench.clock.advance(hours=4)
    with pytest.raises(RequestExpired):
        bench.redeem(request)


def test_a_release_that_died_is_spent_and_its_intent_stands(bench: Bench) -> None:
    request = bench.approved()
    bench.opening.fails = True
    with pytest.raises(RuntimeError):
        bench.redeem(request)
    bench.opening.fails = False
    with pytest.raises(GrantSpent, match="new request"):
        bench.redeem(request)
    assert bench.opening.opened == 0
    assert len(bench.events(AuditKind.LINKAGE_RELEASE_INTENT)) == 1
    assert not bench.events(AuditKind.LINKAGE_RELEASED)


def test_of_many_that_race_one_opens_the_register(bench: Bench) -> None:
    request = bench.approved()
    derive, gate = bench.history.derive, threading.Barrier(6)

    def derive_together(stored):
        found = derive(stored)
        gate.wait(10)
        return found

    bench.history.derive = derive_together  # type: ignore[method-assign]
    bench.trail.checkpoint = lambda: None  # type: ignore[method-assign]
    outcomes: list[str] = []

    def run() -> None:
        try:
            outcomes.append(str(bench.redeem(request).released_now))
        except PseudoError as refusal:
            outcomes.append(refusal.code)

    racers = [threading.Thread(target=run) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(20)
    assert sorted(outcomes) == ["GRANT_SPENT"] * 5 + ["True"]
    assert bench.opening.opened == 1


@pytest.mark.parametrize("actor", [COLLEAGUE, THIRD])
def test_only_the_named_redeemer_redeems(bench: Bench, actor) -> None:
    request = bench.approved()
    with pytest.raises(AccessDenied):
        bench.redeem(request, actor)
    (refused,) = bench.events(AuditKind.LINKAGE_REFUSED)
    assert json.loads(refused.body)["details"] == {"code": "ACCESS_DENIED"}


def test_a_stranger_does_not_learn_that_a_request_exists(bench: Bench) -> None:
    request = bench.approved()
    with pytest.raises(RequestUnknown) as hidden:
        bench.redeem(request, STRANGER)
    with pytest.raises(RequestUnknown) as absent:
        bench.desk.redeem("0" * 32, actor=STRANGER)
    assert hidden.value.message == absent.value.message
    assert bench.events(AuditKind.CALL_REFUSED)


def test_an_expired_approval_releases_nothing(bench: Bench) -> None:
    request = bench.approved()
    bench.clock.advance(hours=3)
    assert bench.state(request) is LinkageState.EXPIRED
    with pytest.raises(RequestExpired):
        bench.redeem(request)
    assert bench.opening.opened == 0


def test_a_withdrawn_request_releases_nothing(bench: Bench) -> None:
    request = bench.approved()
    bench.desk.withdraw(request.request_id, reason="not needed", actor=OFFICER)
    with pytest.raises(RequestState):
        bench.redeem(request)
    # Nor when somebody sets the row back.
    stored = bench.requests.stored[request.request_id]
    bench.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.APPROVED
    )
    with pytest.raises(GrantRefused):
        bench.redeem(request)


def test_without_the_archive_nothing_is_released(bench: Bench) -> None:
    request = bench.submit()
    bench.archive.failure = StoreUnavailable("the archive is out of reach")
    bench.vote(request, COLLEAGUE, GUARDIAN)
    with pytest.raises(StoreUnavailable):
        bench.redeem(request)
    bench.archive.failure = None
    assert bench.redeem(request).released_now


def break_glass(bench: Bench):
    return bench.submit(
        mode=LinkageMode.BREAK_GLASS, legal_basis=LegalBasis.VITAL_INTERESTS
    )


def test_break_glass_needs_one_guardian_before_and_another_person_after(
    bench: Bench,
) -> None:
    request = break_glass(bench)
    with pytest.raises(PseudoError, match="guardian"):
        bench.vote(request, COLLEAGUE)
    assert bench.vote(request, GUARDIAN) is LinkageState.APPROVED
    assert bench.redeem(request).released_now
    assert bench.state(request) is LinkageState.AWAITING_SECOND_REVIEW
    bench.clock.advance(days=40)
    assert bench.state(request) is LinkageState.AWAITING_SECOND_REVIEW
    for own in (GUARDIAN, OFFICER):
        with pytest.raises(PseudoError):
            bench.vote(request, own)
    assert bench.vote(request, COLLEAGUE) is LinkageState.RELEASED


def test_a_disputed_break_glass_release_is_not_handed_out_again(bench: Bench) -> None:
    request = break_glass(bench)
    bench.vote(request, GUARDIAN)
    bench.redeem(request)
    bench.vote(request, THIRD, decision=Decision.REJECT)
    assert bench.state(request) is LinkageState.DISPUTED
    with pytest.raises(RequestState):
        bench.redeem(request)


def test_a_guardian_alone_stops_break_glass(bench: Bench) -> None:
    request = break_glass(bench)
    state = bench.vote(request, GUARDIAN, decision=Decision.REJECT)
    assert state is LinkageState.REJECTED


def test_the_window_of_the_trail_begins_before_the_submission(bench: Bench) -> None:
    bench.redeem(bench.approved())
    before = sum(len(chain) for chain in bench.log.events.values())
    bench.clock.advance(days=3)
    request = bench.approved()
    read = []
    original = bench.log.read

    def note(chain: str, *, after: int = -1):
        for event in original(chain, after=after):
            read.append(event.sequence)
            yield event

    bench.log.read = note  # type: ignore[method-assign]
    bench.history.derive(bench.requests.get(request.request_id))
    assert min(read) > before - 5
    bench.clock.advance(minutes=1)
    assert bench.redeem(request).released_now
    assert timedelta() < request.expires_at - bench.clock.now()


def test_a_kept_result_that_somebody_wrote_is_not_handed_out(bench: Bench) -> None:
    # Anybody can seal to the officer's public key, and bind it to the digest.
    request = bench.approved(NUMBERS[0])
    bench.redeem(request)
    kept = bench.requests.results[request.request_id]
    forged = replace(kept, sealed=seal_result(request, b"another person"))
    bench.requests.results[request.request_id] = forged
    with pytest.raises(GrantRefused):
        bench.redeem(request)


def test_a_result_of_no_release_is_not_handed_out(bench: Bench) -> None:
    request = bench.submit(NUMBERS[0])
    stored = bench.requests.stored[request.request_id]
    bench.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.RELEASED
    )
    bench.requests.results[request.request_id] = KeptResult(
        sealed=seal_result(request, b"another person"),
        available_until=request.expires_at,
    )
    with pytest.raises(GrantRefused):
        bench.redeem(request)


def test_a_result_is_not_kept_longer_by_whoever_edits_the_row(bench: Bench) -> None:
    request = bench.approved(NUMBERS[0])
    bench.redeem(request)
    later = request.expires_at + timedelta(days=10)
    bench.requests.edit(request.request_id, expires_at=later)
    bench.clock.advance(hours=4)
    with pytest.raises(GrantRefused):
        bench.redeem(request)


def test_who_may_stand_in_a_part_that_cannot_be_read_is_not_simply_unknown(
    bench: Bench,
) -> None:
    (first, *others) = bench.register.segments
    edited = replace(first.segment, sealed=first.segment.sealed[::-1])
    bench.register.segments[:] = [replace(first, segment=edited), *others]
    result = json.loads(open_result(bench.redeem(bench.approved(NUMBERS[0]))))
    assert result["rows"][0]["outcome"] == "unknown"
    assert result["register_faults"] == 1


@pytest.mark.parametrize("state", [ProjectState.SUSPENDED, ProjectState.CLOSING])
def test_a_project_that_was_stopped_after_the_approval_releases_nobody(
    bench: Bench, state: ProjectState
) -> None:
    request = bench.approved(NUMBERS[0])
    bench.change_project("asthma", state=state)
    with pytest.raises(ProjectNotActive):
        bench.redeem(request)
    assert bench.state(request) is LinkageState.APPROVED
    assert bench.events(AuditKind.LINKAGE_RELEASE_INTENT) == []
    bench.change_project("asthma", state=ProjectState.ACTIVE)
    assert bench.redeem(request).released_now
