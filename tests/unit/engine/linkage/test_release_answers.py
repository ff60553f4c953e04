"""What a release answers: of whom, and in whose words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    ProjectNotActive,
)
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.linkage.request import LegalBasis, LinkageState, LinkageVerb
from pseudo_service.core.projects.project import ProjectState
from tests.lib.harnesses.linkage_fakes import (
    NUMBERS,
    LinkageHarness,
    code_subject,
    open_result,
)
from tests.lib.values.linkage_actors import GUARDIAN, STROKE_GUARDIAN


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def test_each_subject_is_answered_by_what_it_is(harness: LinkageHarness) -> None:
    closed = harness.pseudonym(NUMBERS[1])
    harness.rotate("asthma")
    newer = harness.pseudonym(NUMBERS[1], version=2)
    foreign = harness.pseudonym(NUMBERS[0], "stroke")
    unknown = harness.pseudonym("9990000069", version=2)
    at_rxh = harness.pseudonym("A1", kind="mrn@RXH", version=2)
    at_rj1 = harness.pseudonym("A1", kind="mrn@RJ1", version=2)
    asked = [closed, newer, foreign, unknown, at_rxh, at_rj1]
    request = harness.approved(pseudonyms=asked)
    place = next(p for p in harness.rows.rows if p[0] == "asthma" and p[2] == 1)
    del harness.rows.rows[place]
    result = json.loads(open_result(harness.redeem(request)))
    rows = {row["subject"]: row for row in result["rows"]}
    assert {text: row["outcome"] for text, row in rows.items()} == {
        closed: "closed_key_version",
        newer: "found",
        foreign: "wrong_project",
        unknown: "unknown",
        at_rxh: "found",
        at_rj1: "found",
    }
    assert rows[newer]["identifier"] == NUMBERS[1]
    assert rows[at_rxh]["kind"] == "mrn@RXH"
    assert rows[at_rj1]["kind"] == "mrn@RJ1"
    assert "identifier" not in rows[foreign]


def test_a_translation_speaks_in_the_targets_newest_pseudonyms(
    harness: LinkageHarness,
) -> None:
    harness.rotate("stroke")
    request = harness.translation(NUMBERS[0], NUMBERS[1])
    plain = open_result(harness.redeem(request))
    result = json.loads(plain)
    assert {row["pseudonym"] for row in result["rows"]} == {
        harness.pseudonym(number, "stroke", version=2) for number in NUMBERS[:2]
    }
    for number in NUMBERS:
        assert number.encode() not in plain


def test_who_opted_out_is_not_translated(harness: LinkageHarness) -> None:
    harness.apply_opt_outs("stroke", NUMBERS[1])
    request = harness.translation(NUMBERS[0], NUMBERS[1])
    result = json.loads(open_result(harness.redeem(request)))
    outcomes = {row["subject"]: row["outcome"] for row in result["rows"]}
    assert outcomes == {
        harness.pseudonym(NUMBERS[0]): "found",
        harness.pseudonym(NUMBERS[1]): "opted_out",
    }
    (subjects,) = harness.events(AuditKind.LINKAGE_SUBJECTS)
    assert code_subject(harness.root, NUMBERS[1]) not in subjects.body


def merge(harness: LinkageHarness, superseded: str, current: str) -> None:
    table = SupersededNumbers.build(
        np.array([int(superseded)], np.int64), np.array([int(current)], np.int64)
    )
    harness.superseded = PinnedSupersededNumbers(table=table, pin="list:1")


def test_a_superseded_number_comes_with_its_survivor(harness: LinkageHarness) -> None:
    merge(harness, NUMBERS[0], NUMBERS[4])
    result = json.loads(open_result(harness.redeem(harness.approved(*NUMBERS[:2]))))
    superseded = {row["identifier"]: row.get("superseded_by") for row in result["rows"]}
    assert superseded == {NUMBERS[0]: NUMBERS[4], NUMBERS[1]: None}


@pytest.mark.parametrize("follows_merges", [False, True])
def test_a_translation_takes_people_as_its_target_does(
    harness: LinkageHarness, *, follows_merges: bool
) -> None:
    merge(harness, NUMBERS[0], NUMBERS[4])
    harness.change_project("stroke", follows_merges=follows_merges)
    request = harness.translation(NUMBERS[0])
    (row,) = json.loads(open_result(harness.redeem(request)))["rows"]
    expected = NUMBERS[4] if follows_merges else NUMBERS[0]
    assert row["pseudonym"] == harness.pseudonym(expected, "stroke")


@pytest.mark.parametrize("opted_out", [NUMBERS[0], NUMBERS[4]])
def test_an_opt_out_counts_under_either_number(
    harness: LinkageHarness, opted_out: str
) -> None:
    merge(harness, NUMBERS[0], NUMBERS[4])
    harness.apply_opt_outs("stroke", opted_out)
    request = harness.translation(NUMBERS[0])
    (row,) = json.loads(open_result(harness.redeem(request)))["rows"]
    assert row["outcome"] == "opted_out"
    assert "pseudonym" not in row


def test_who_cannot_be_checked_is_kept_out_as_in_tables(
    harness: LinkageHarness,
) -> None:
    harness.apply_opt_outs("stroke", NUMBERS[4])
    request = harness.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
        pseudonyms=[harness.pseudonym("A1", kind="mrn@RXH")],
    )
    harness.vote(request, GUARDIAN, STROKE_GUARDIAN)
    (row,) = json.loads(open_result(harness.redeem(request)))["rows"]
    assert row["outcome"] == "opted_out"


def test_planted_identities_are_left_out_and_counted(harness: LinkageHarness) -> None:
    whole = harness.register.segments[0]
    harness.register.segments[0] = replace(
        whole, segment=replace(whole.segment, mac=bytes(32))
    )
    request = harness.approved()
    (row,) = json.loads(open_result(harness.redeem(request)))["rows"]
    assert row["outcome"] == "unknown"
    (released,) = harness.events(AuditKind.LINKAGE_RELEASED)
    assert json.loads(released.body)["details"]["register_faults"] == 1


def test_a_destroyed_project_releases_nothing(harness: LinkageHarness) -> None:
    request = harness.approved()
    harness.change_project("asthma", state=ProjectState.DESTROYED)
    with pytest.raises(ProjectNotActive, match="keys are gone"):
        harness.redeem(request)
    assert harness.state(request) is LinkageState.APPROVED
