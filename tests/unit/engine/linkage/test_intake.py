"""Submitting: what a request must state, and how much it may ask for."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    AccessDenied,
    ProjectNotActive,
    ProjectUnknown,
    PseudoError,
    PurposeMissing,
    RequestRefused,
)
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageMode,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.projects.project import ProjectState
from tests.lib.harnesses.linkage_fakes import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    NUMBERS,
    OFFICER,
    RESEARCHER,
    STRANGER,
    Bench,
    act,
)

LOW_ORDER_POINT = (1).to_bytes(32, "little")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_submission_is_sorted_distinct_and_recorded(bench: Bench) -> None:
    view = bench.desk.submit(
        bench.submission(NUMBERS[2], NUMBERS[0], NUMBERS[2]), actor=OFFICER
    )
    expected = sorted(bench.pseudonym(n) for n in (NUMBERS[0], NUMBERS[2]))
    assert list(view.request.subjects) == expected
    assert view.subject_count == 2
    assert view.state is LinkageState.SUBMITTED
    assert view.digest == view.request.digest()
    assert view.request.redeemer == OFFICER.subject
    assert len(bench.events(AuditKind.LINKAGE_SUBMITTED)) == 1
    assert bench.log.stored[-1].heads == tuple(bench.log.heads())


def test_expiry_is_kept_in_utc(bench: Bench) -> None:
    summer = timezone(timedelta(hours=1))
    expires = (bench.clock.now() + timedelta(hours=5)).astimezone(summer)
    request = bench.submit(expires_at=expires)
    assert request.expires_at == expires
    assert request.expires_at.tzinfo is UTC


BAD: dict[str, dict[str, Any]] = {
    "no pseudonyms": {"pseudonyms": []},
    "not a pseudonym": {"pseudonyms": ["ABCD-N1"]},
    "blank consent": {"consent_reference": "  "},
    "consent names a patient": {"consent_reference": "letter about 9990000018"},
    "key too short": {"recipient_key": bytes(31)},
    "key of zeros": {"recipient_key": bytes(32)},
    "key of low order": {"recipient_key": LOW_ORDER_POINT},
    "target without translation": {"target_project": "stroke"},
    "translation without target": {"verb": LinkageVerb.TRANSLATE},
    "translation into itself": {
        "verb": LinkageVerb.TRANSLATE,
        "target_project": "asthma",
    },
    "an identifier to re-identify": {"identifier": NUMBERS[0], "kind": "nhs_number"},
    "a kind to re-identify": {"kind": "nhs_number"},
    "redeemer of blanks": {"redeemer": " officer "},
    "locate by pseudonym": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
    },
    "locate a bad number": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
        "pseudonyms": [],
        "identifier": "9990000019",
        "kind": "nhs_number",
    },
    "locate a kind that is none": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
        "pseudonyms": [],
        "identifier": NUMBERS[0],
        "kind": "Surname",
    },
    "locate for research": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.PUBLIC_INTEREST,
        "pseudonyms": [],
        "identifier": NUMBERS[0],
        "kind": "nhs_number",
    },
    "break glass to translate": {
        "mode": LinkageMode.BREAK_GLASS,
        "verb": LinkageVerb.TRANSLATE,
        "target_project": "stroke",
    },
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_what_is_missing_or_too_much_is_refused(
    bench: Bench, fields: dict[str, Any]
) -> None:
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(**fields)
    assert not bench.requests.stored
    for value in (*NUMBERS, "9990000019", "ABCD-N1"):
        assert value not in refusal.value.message


@pytest.mark.parametrize("purpose", ["", "  ", "about 9990000018", "x"])
def test_a_purpose_is_mandatory(bench: Bench, purpose: str) -> None:
    with pytest.raises(PurposeMissing):
        bench.submit(purpose=purpose)


@pytest.mark.parametrize(
    ("mode", "life", "is_taken"),
    [
        (LinkageMode.ROUTINE, timedelta(minutes=54), False),
        # an hour, less the time that the call took to arrive
        (LinkageMode.ROUTINE, timedelta(minutes=59, seconds=59), True),
        (LinkageMode.ROUTINE, timedelta(hours=1), True),
        (LinkageMode.ROUTINE, timedelta(days=30), True),
        (LinkageMode.ROUTINE, timedelta(days=30, seconds=1), False),
        (LinkageMode.BREAK_GLASS, timedelta(0), False),
        (LinkageMode.BREAK_GLASS, timedelta(minutes=1), True),
        (LinkageMode.BREAK_GLASS, timedelta(hours=4), True),
        (LinkageMode.BREAK_GLASS, timedelta(hours=4, seconds=1), False),
    ],
)
def test_each_mode_has_its_life(
    bench: Bench, mode: LinkageMode, life: timedelta, is_taken: bool
) -> None:
    expires_at = bench.clock.now() + life
    if is_taken:
        assert bench.submit(mode=mode, expires_at=expires_at).expires_at == expires_at
    else:
        with pytest.raises(RequestRefused, match="expiry"):
            bench.submit(mode=mode, expires_at=expires_at)


def test_an_expiry_without_a_zone_is_refused(bench: Bench) -> None:
    with pytest.raises(RequestRefused, match="zone"):
        bench.submit(expires_at=datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001


def test_bad_pseudonyms_are_named_by_position_only(bench: Bench) -> None:
    good = bench.pseudonym()
    listed = [good, good[:-1] + ("0" if good[-1] != "0" else "1"), good, "x"]
    with pytest.raises(
        RequestRefused, match=r"not well formed are 2 of 4, at positions 1, 3;"
    ):
        bench.submit(pseudonyms=listed)


def test_a_request_lists_no_more_than_the_project_allows(bench: Bench) -> None:
    bench.change_project("asthma", linkage_ceiling=2)
    bench.submit(*NUMBERS[:2])
    with pytest.raises(RequestRefused, match="1 to 2"):
        bench.submit(*NUMBERS[:3])


def test_break_glass_is_for_one_person(bench: Bench) -> None:
    with pytest.raises(RequestRefused, match="exactly one"):
        bench.submit(*NUMBERS[:2], mode=LinkageMode.BREAK_GLASS)


def test_a_researcher_names_an_officer(bench: Bench) -> None:
    for redeemer in ("", RESEARCHER.subject):
        with pytest.raises(RequestRefused, match="redeemer"):
            bench.submit(actor=RESEARCHER, redeemer=redeemer)
    request = bench.submit(actor=RESEARCHER, redeemer="officer")
    bench.vote(request, COLLEAGUE, GUARDIAN)
    with pytest.raises(AccessDenied):
        bench.redeem(request, RESEARCHER)
    assert bench.redeem(request, OFFICER).released_now


def test_a_researcher_locates_nobody(bench: Bench) -> None:
    with pytest.raises(AccessDenied):
        bench.submit(
            actor=RESEARCHER,
            redeemer="officer",
            verb=LinkageVerb.LOCATE,
            legal_basis=LegalBasis.SUBJECT_REQUEST,
            pseudonyms=[],
            identifier=NUMBERS[0],
            kind="nhs_number",
        )
    assert bench.events(AuditKind.CALL_REFUSED)


@pytest.mark.parametrize(
    "actor", [GUARDIAN, AUDITOR, STRANGER, act("p", "pipeline:asthma")]
)
def test_only_officers_and_researchers_ask(bench: Bench, actor) -> None:
    with pytest.raises(AccessDenied):
        bench.submit(actor=actor)


def test_projects_must_be_there_and_active(bench: Bench) -> None:
    translation = {"verb": LinkageVerb.TRANSLATE, "target_project": "nowhere"}
    with pytest.raises(ProjectUnknown):
        bench.submit(**translation)
    bench.change_project("stroke", state=ProjectState.SUSPENDED)
    with pytest.raises(ProjectNotActive):
        bench.submit(**translation | {"target_project": "stroke"})
    bench.change_project("asthma", state=ProjectState.CLOSING)
    with pytest.raises(ProjectNotActive):
        bench.submit()


def test_no_refusal_repeats_what_was_sent(bench: Bench) -> None:
    secret = bench.pseudonym()
    for fields in (
        {"redeemer": secret * 20},
        {"kind": secret},
        {"purpose": secret * 9},
    ):
        with pytest.raises(PseudoError) as refusal:
            bench.submit(**fields)
        assert secret not in str(refusal.value)
