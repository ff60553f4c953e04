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
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.values.linkage_actors import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    RESEARCHER,
    STRANGER,
    act,
)

LOW_ORDER_POINT = (1).to_bytes(32, "little")


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def test_a_submission_is_sorted_distinct_and_recorded(harness: LinkageHarness) -> None:
    view = harness.desk.submit(
        harness.submission(NUMBERS[2], NUMBERS[0], NUMBERS[2]), actor=OFFICER
    )
    expected = sorted(harness.pseudonym(n) for n in (NUMBERS[0], NUMBERS[2]))
    assert list(view.request.subjects) == expected
    assert view.subject_count == 2
    assert view.state is LinkageState.SUBMITTED
    assert view.digest == view.request.digest()
    assert view.request.terms.redeemer == OFFICER.subject
    assert len(harness.events(AuditKind.LINKAGE_SUBMITTED)) == 1
    assert harness.log.stored[-1].heads == tuple(harness.log.heads())


def test_expiry_is_kept_in_utc(harness: LinkageHarness) -> None:
    summer = timezone(timedelta(hours=1))
    expires = (harness.clock.now() + timedelta(hours=5)).astimezone(summer)
    request = harness.submit(expires_at=expires)
    assert request.terms.expires_at == expires
    assert request.terms.expires_at.tzinfo is UTC


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
    harness: LinkageHarness, fields: dict[str, Any]
) -> None:
    with pytest.raises(RequestRefused) as refusal:
        harness.submit(**fields)
    assert not harness.requests.stored
    for value in (*NUMBERS, "9990000019", "ABCD-N1"):
        assert value not in refusal.value.message


@pytest.mark.parametrize("purpose", ["", "  ", "about 9990000018", "x"])
def test_a_purpose_is_mandatory(harness: LinkageHarness, purpose: str) -> None:
    with pytest.raises(PurposeMissing):
        harness.submit(purpose=purpose)


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
    harness: LinkageHarness, mode: LinkageMode, life: timedelta, is_taken: bool
) -> None:
    expires_at = harness.clock.now() + life
    if is_taken:
        request = harness.submit(mode=mode, expires_at=expires_at)
        assert request.terms.expires_at == expires_at
    else:
        with pytest.raises(RequestRefused, match="expiry"):
            harness.submit(mode=mode, expires_at=expires_at)


def test_an_expiry_without_a_zone_is_refused(harness: LinkageHarness) -> None:
    with pytest.raises(RequestRefused, match="zone"):
        harness.submit(expires_at=datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001


def test_bad_pseudonyms_are_named_by_position_only(harness: LinkageHarness) -> None:
    good = harness.pseudonym()
    listed = [good, good[:-1] + ("0" if good[-1] != "0" else "1"), good, "x"]
    with pytest.raises(
        RequestRefused, match=r"not well formed are 2 of 4, at positions 1, 3;"
    ):
        harness.submit(pseudonyms=listed)


def test_a_request_lists_no_more_than_the_project_allows(
    harness: LinkageHarness,
) -> None:
    harness.change_project("asthma", linkage_ceiling=2)
    harness.submit(*NUMBERS[:2])
    with pytest.raises(RequestRefused, match="1 to 2"):
        harness.submit(*NUMBERS[:3])


def test_break_glass_is_for_one_person(harness: LinkageHarness) -> None:
    with pytest.raises(RequestRefused, match="exactly one"):
        harness.submit(*NUMBERS[:2], mode=LinkageMode.BREAK_GLASS)


def test_a_researcher_names_an_officer(harness: LinkageHarness) -> None:
    for redeemer in ("", RESEARCHER.subject):
        with pytest.raises(RequestRefused, match="redeemer"):
            harness.submit(actor=RESEARCHER, redeemer=redeemer)
    request = harness.submit(actor=RESEARCHER, redeemer="officer")
    harness.vote(request, COLLEAGUE, GUARDIAN)
    with pytest.raises(AccessDenied):
        harness.redeem(request, RESEARCHER)
    assert harness.redeem(request, OFFICER).released_now


def test_a_researcher_locates_nobody(harness: LinkageHarness) -> None:
    with pytest.raises(AccessDenied):
        harness.submit(
            actor=RESEARCHER,
            redeemer="officer",
            verb=LinkageVerb.LOCATE,
            legal_basis=LegalBasis.SUBJECT_REQUEST,
            pseudonyms=[],
            identifier=NUMBERS[0],
            kind="nhs_number",
        )
    assert harness.events(AuditKind.CALL_REFUSED)


@pytest.mark.parametrize(
    "actor", [GUARDIAN, AUDITOR, STRANGER, act("p", "pipeline:asthma")]
)
def test_only_officers_and_researchers_ask(harness: LinkageHarness, actor) -> None:
    with pytest.raises(AccessDenied):
        harness.submit(actor=actor)


def test_projects_must_be_there_and_active(harness: LinkageHarness) -> None:
    translation = {"verb": LinkageVerb.TRANSLATE, "target_project": "nowhere"}
    with pytest.raises(ProjectUnknown):
        harness.submit(**translation)
    harness.change_project("stroke", state=ProjectState.SUSPENDED)
    with pytest.raises(ProjectNotActive):
        harness.submit(**translation | {"target_project": "stroke"})
    harness.change_project("asthma", state=ProjectState.CLOSING)
    with pytest.raises(ProjectNotActive):
        harness.submit()


def test_no_refusal_repeats_what_was_sent(harness: LinkageHarness) -> None:
    secret = harness.pseudonym()
    for fields in (
        {"redeemer": secret * 20},
        {"kind": secret},
        {"purpose": secret * 9},
    ):
        with pytest.raises(PseudoError) as refusal:
            harness.submit(**fields)
        assert secret not in str(refusal.value)
