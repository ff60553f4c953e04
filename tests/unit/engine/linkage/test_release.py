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
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    ProjectState,
)
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.linkage_fakes import (
    NUMBERS,
    LinkageHarness,
    code_subject,
    open_result,
)
from tests.lib.values.linkage_actors import (
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    SECOND_GUARDIAN,
    STRANGER,
    STROKE_GUARDIAN,
    THIRD,
)


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def test_exactly_the_listed_people_are_named_to_the_officer(
    harness: LinkageHarness,
) -> None:
    request = harness.approved(*NUMBERS[:3])
    release = harness.redeem(request)
    result = json.loads(open_result(release))
    by_subject = {row["subject"]: row for row in result["rows"]}
    assert [row["subject"] for row in result["rows"]] == list(request.subjects)
    for number in NUMBERS[:3]:
        row = by_subject[harness.pseudonym(number)]
        assert row["identifier"] == number
        assert (row["outcome"], row["kind"]) == ("found", "nhs_number")
    assert result["digest"] == request.digest().hex() == release.digest.hex()
    assert release.released_now
    assert harness.state(request) is LinkageState.RELEASED


def test_the_sealed_result_opens_for_this_request_only(harness: LinkageHarness) -> None:
    first = harness.redeem(harness.approved(NUMBERS[0]))
    second = harness.redeem(harness.approved(NUMBERS[0]))
    with pytest.raises(InvalidTag):
        open_result(replace(first, digest=second.digest))


def test_the_trail_names_codes_and_counts_but_nobody(harness: LinkageHarness) -> None:
    unknown = harness.pseudonym("9990000069")
    request = harness.approved(pseudonyms=[harness.pseudonym(NUMBERS[0]), unknown])
    harness.redeem(request)
    (subjects,) = harness.events(AuditKind.LINKAGE_SUBJECTS)
    details = json.loads(subjects.body)["details"]
    assert details["codes"] == code_subject(harness.root, NUMBERS[0])
    assert (details["found"], details["unknown"], details["listed"]) == (1, 1, 1)
    everything = "".join(e.body for chain in harness.log.events.values() for e in chain)
    assert NUMBERS[0] not in everything
    assert harness.pseudonym(NUMBERS[0]) not in everything
    (released,) = harness.events(AuditKind.LINKAGE_RELEASED)
    assert json.loads(released.body)["details"]["found"] == 1


def test_a_translation_needs_a_guardian_of_each_project(
    harness: LinkageHarness,
) -> None:
    request = harness.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    state = harness.vote(request, GUARDIAN, SECOND_GUARDIAN, COLLEAGUE)
    assert state is LinkageState.PARTIALLY_REVIEWED
    with pytest.raises(RequestState):
        harness.redeem(request)
    assert harness.vote(request, STROKE_GUARDIAN) is LinkageState.APPROVED
    assert harness.redeem(request).released_now


def test_a_missing_opt_out_list_uses_no_approval_up(harness: LinkageHarness) -> None:
    request = harness.translation(NUMBERS[0])
    rule = OptOutRule(application=OptOutApplication.APPLIED, legal_basis="s251")
    harness.change_project("stroke", opt_outs=rule)
    with pytest.raises(OptOutListMissing):
        harness.redeem(request)
    assert harness.state(request) is LinkageState.APPROVED
    harness.apply_opt_outs("stroke", NUMBERS[4])
    assert harness.redeem(request).released_now


def test_a_vault_that_does_not_unwrap_uses_no_approval_up(
    harness: LinkageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = harness.approved()
    unwrap = harness.vault.unwrap

    def refuse_linkage(wrapped: Wrapped) -> bytes:
        if harness.vault.key_name(wrapped.key_id) == "linkage":
            msg = "the vault does not answer"
            raise KeyVaultUnavailable(msg)
        return unwrap(wrapped)

    with monkeypatch.context() as patched:
        patched.setattr(harness.vault, "unwrap", refuse_linkage)
        with pytest.raises(KeyVaultUnavailable):
            harness.redeem(request)
    assert harness.state(request) is LinkageState.APPROVED
    assert not harness.events(AuditKind.LINKAGE_RELEASE_INTENT)
    assert harness.redeem(request).released_now


def test_a_person_is_located_without_keeping_the_number(
    harness: LinkageHarness,
) -> None:
    request = harness.submit(
        verb=LinkageVerb.LOCATE,
        legal_basis=LegalBasis.SUBJECT_REQUEST,
        pseudonyms=(),
        identifier=NUMBERS[0],
        kind="nhs_number",
    )
    assert request.subjects[0].startswith("nhs_number:")
    assert NUMBERS[0] not in repr(harness.requests.stored)
    harness.vote(request, COLLEAGUE, GUARDIAN)
    result = json.loads(open_result(harness.redeem(request)))
    assert harness.location.asked == list(request.subjects)
    assert result["rows"][0]["project"] == "stroke"
    assert len(result["unaccounted_operations"]) == 1
    (subjects,) = harness.events(AuditKind.LINKAGE_SUBJECTS)
    assert code_subject(harness.root, NUMBERS[0]) in subjects.body
    detail = harness.reader.get(request.request_id, actor=GUARDIAN)
    assert detail.pseudonyms == ()


def test_a_release_that_died_is_spent_and_its_intent_stands(
    harness: LinkageHarness,
) -> None:
    request = harness.approved()
    harness.opening.fails = True
    with pytest.raises(RuntimeError):
        harness.redeem(request)
    harness.opening.fails = False
    with pytest.raises(GrantSpent, match="new request"):
        harness.redeem(request)
    assert harness.opening.opened == 0
    assert len(harness.events(AuditKind.LINKAGE_RELEASE_INTENT)) == 1
    assert not harness.events(AuditKind.LINKAGE_RELEASED)


def test_of_many_that_race_one_opens_the_register(harness: LinkageHarness) -> None:
    request = harness.approved()
    derive, gate = harness.verifier.verify, threading.Barrier(6)

    def derive_together(stored):
        found = derive(stored)
        gate.wait(10)
        return found

    harness.verifier.verify = derive_together  # type: ignore[method-assign]
    harness.trail.checkpoint = lambda: None  # type: ignore[method-assign]
    outcomes: list[str] = []

    def run() -> None:
        try:
            outcomes.append(str(harness.redeem(request).released_now))
        except PseudoError as refusal:
            outcomes.append(refusal.code)

    racers = [threading.Thread(target=run) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(20)
    assert sorted(outcomes) == ["GRANT_SPENT"] * 5 + ["True"]
    assert harness.opening.opened == 1


@pytest.mark.parametrize("actor", [COLLEAGUE, THIRD])
def test_only_the_named_redeemer_redeems(harness: LinkageHarness, actor) -> None:
    request = harness.approved()
    with pytest.raises(AccessDenied):
        harness.redeem(request, actor)
    (refused,) = harness.events(AuditKind.LINKAGE_REFUSED)
    assert json.loads(refused.body)["details"] == {"code": "ACCESS_DENIED"}


def test_a_stranger_does_not_learn_that_a_request_exists(
    harness: LinkageHarness,
) -> None:
    request = harness.approved()
    with pytest.raises(RequestUnknown) as hidden:
        harness.redeem(request, STRANGER)
    with pytest.raises(RequestUnknown) as absent:
        harness.release.redeem("0" * 32, actor=STRANGER)
    assert hidden.value.message == absent.value.message
    assert harness.events(AuditKind.CALL_REFUSED)


def test_an_expired_approval_releases_nothing(harness: LinkageHarness) -> None:
    request = harness.approved()
    harness.clock.advance(hours=3)
    assert harness.state(request) is LinkageState.EXPIRED
    with pytest.raises(RequestExpired):
        harness.redeem(request)
    assert harness.opening.opened == 0


def test_a_withdrawn_request_releases_nothing(harness: LinkageHarness) -> None:
    request = harness.approved()
    harness.desk.withdraw(request.request_id, reason="not needed", actor=OFFICER)
    with pytest.raises(RequestState):
        harness.redeem(request)
    # Nor when somebody sets the row back.
    stored = harness.requests.stored[request.request_id]
    harness.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.APPROVED
    )
    with pytest.raises(GrantRefused):
        harness.redeem(request)


def test_without_the_archive_nothing_is_released(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.archive.failure = StoreUnavailable("the archive is out of reach")
    harness.vote(request, COLLEAGUE, GUARDIAN)
    with pytest.raises(StoreUnavailable):
        harness.redeem(request)
    harness.archive.failure = None
    assert harness.redeem(request).released_now


def break_glass(harness: LinkageHarness):
    return harness.submit(
        mode=LinkageMode.BREAK_GLASS, legal_basis=LegalBasis.VITAL_INTERESTS
    )


def test_break_glass_needs_one_guardian_before_and_another_person_after(
    harness: LinkageHarness,
) -> None:
    request = break_glass(harness)
    with pytest.raises(PseudoError, match="guardian"):
        harness.vote(request, COLLEAGUE)
    assert harness.vote(request, GUARDIAN) is LinkageState.APPROVED
    assert harness.redeem(request).released_now
    assert harness.state(request) is LinkageState.AWAITING_SECOND_REVIEW
    harness.clock.advance(days=40)
    assert harness.state(request) is LinkageState.AWAITING_SECOND_REVIEW
    for own in (GUARDIAN, OFFICER):
        with pytest.raises(PseudoError):
            harness.vote(request, own)
    assert harness.vote(request, COLLEAGUE) is LinkageState.RELEASED


def test_a_disputed_break_glass_release_is_not_handed_out_again(
    harness: LinkageHarness,
) -> None:
    request = break_glass(harness)
    harness.vote(request, GUARDIAN)
    harness.redeem(request)
    harness.vote(request, THIRD, decision=Decision.REJECT)
    assert harness.state(request) is LinkageState.DISPUTED
    with pytest.raises(RequestState):
        harness.redeem(request)


def test_a_guardian_alone_stops_break_glass(harness: LinkageHarness) -> None:
    request = break_glass(harness)
    state = harness.vote(request, GUARDIAN, decision=Decision.REJECT)
    assert state is LinkageState.REJECTED


def test_the_window_of_the_trail_begins_before_the_submission(
    harness: LinkageHarness,
) -> None:
    harness.redeem(harness.approved())
    before = sum(len(chain) for chain in harness.log.events.values())
    harness.clock.advance(days=3)
    request = harness.approved()
    read = []
    original = harness.log.read

    def note(chain: str, *, after: int = -1):
        for event in original(chain, after=after):
            read.append(event.sequence)
            yield event

    harness.log.read = note  # type: ignore[method-assign]
    harness.verifier.verify(harness.requests.get(request.request_id))
    assert min(read) > before - 5
    harness.clock.advance(minutes=1)
    assert harness.redeem(request).released_now
    assert timedelta() < request.terms.expires_at - harness.clock.now()


def test_who_may_stand_in_a_part_that_cannot_be_read_is_not_simply_unknown(
    harness: LinkageHarness,
) -> None:
    (first, *others) = harness.register.segments
    edited = replace(first.segment, sealed=first.segment.sealed[::-1])
    harness.register.segments[:] = [replace(first, segment=edited), *others]
    result = json.loads(open_result(harness.redeem(harness.approved(NUMBERS[0]))))
    assert result["rows"][0]["outcome"] == "unknown"
    assert result["register_faults"] == 1


@pytest.mark.parametrize("state", [ProjectState.SUSPENDED, ProjectState.CLOSING])
def test_a_project_that_was_stopped_after_the_approval_releases_nobody(
    harness: LinkageHarness, state: ProjectState
) -> None:
    request = harness.approved(NUMBERS[0])
    harness.change_project("asthma", state=state)
    with pytest.raises(ProjectNotActive):
        harness.redeem(request)
    assert harness.state(request) is LinkageState.APPROVED
    assert harness.events(AuditKind.LINKAGE_RELEASE_INTENT) == []
    harness.change_project("asthma", state=ProjectState.ACTIVE)
    assert harness.redeem(request).released_now


def test_the_kept_result_is_fetched_without_opening_anything(
    harness: LinkageHarness,
) -> None:
    request = harness.approved()
    first = harness.redeem(request)
    harness.start()
    again = harness.redeem(request)
    assert harness.opening.opened == 0
    assert (again.sealed, again.released_now) == (first.sealed, False)
    assert len(harness.events(AuditKind.LINKAGE_FETCHED)) == 1
    harness.clock.advance(hours=4)
    with pytest.raises(RequestExpired):
        harness.redeem(request)
