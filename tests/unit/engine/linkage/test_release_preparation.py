"""Keys and lists of a release, fetched before its approval is used up."""

from dataclasses import replace

import numpy as np
import pytest

from pseudo_service.core.errors import (
    KeyVaultUnavailable,
    OptOutListMissing,
    ProjectNotActive,
)
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageOutcome,
    LinkageRequest,
    LinkageVerb,
)
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    ProjectState,
)
from pseudo_service.engine.linkage.release_preparation import TranslationTarget
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.values.linkage_requests import replace_request


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def submit_translation(harness: LinkageHarness) -> LinkageRequest:
    return harness.submit(
        NUMBERS[0],
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )


def prepare_target(harness: LinkageHarness) -> TranslationTarget:
    target = harness.preparer.prepare(submit_translation(harness)).target
    assert target is not None
    return target


def test_only_the_key_versions_that_are_asked_for_are_fetched(
    harness: LinkageHarness,
) -> None:
    old, foreign = (
        harness.pseudonym(NUMBERS[0]),
        harness.pseudonym(NUMBERS[1], "stroke"),
    )
    harness.rotate("asthma")
    request = harness.submit(pseudonyms=[old, foreign])
    prepared = harness.preparer.prepare(request)
    assert set(prepared.versions) == {1}
    assert set(prepared.wanted) == {old, foreign}
    assert (prepared.tag, prepared.target) == ("ABCD", None)


def test_a_version_that_is_gone_is_left_out(harness: LinkageHarness) -> None:
    request = harness.submit()
    place = next(p for p in harness.rows.rows if p[0] == "asthma" and p[2] == 1)
    del harness.rows.rows[place]
    assert harness.preparer.prepare(request).versions == {}


def test_a_person_to_locate_needs_no_pseudonym_key(harness: LinkageHarness) -> None:
    request = harness.submit(
        verb=LinkageVerb.LOCATE,
        legal_basis=LegalBasis.SUBJECT_REQUEST,
        pseudonyms=(),
        identifier=NUMBERS[0],
        kind="nhs_number",
    )
    prepared = harness.preparer.prepare(request)
    assert (prepared.wanted, prepared.versions) == ({}, {})


@pytest.mark.parametrize("project", ["asthma", "stroke"])
@pytest.mark.parametrize("state", [ProjectState.SUSPENDED, ProjectState.CLOSING])
def test_each_project_must_be_active(
    harness: LinkageHarness, project: str, state: ProjectState
) -> None:
    request = submit_translation(harness)
    harness.change_project(project, state=state)
    with pytest.raises(ProjectNotActive):
        harness.preparer.prepare(request)


def test_a_destroyed_project_has_no_keys(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.change_project("asthma", state=ProjectState.DESTROYED)
    with pytest.raises(ProjectNotActive, match="keys are gone"):
        harness.preparer.prepare(request)


def test_a_missing_list_and_a_silent_vault_stop_it(
    harness: LinkageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = submit_translation(harness)
    rule = OptOutRule(application=OptOutApplication.APPLIED, legal_basis="s251")
    harness.change_project("stroke", opt_outs=rule)
    with pytest.raises(OptOutListMissing):
        harness.preparer.prepare(request)

    def fail(_wrapped: object) -> bytes:
        raise KeyVaultUnavailable("the vault does not answer")

    monkeypatch.setattr(harness.vault, "unwrap", fail)
    with pytest.raises(KeyVaultUnavailable):
        harness.preparer.prepare(replace_request(request, request_id="0" * 32))


def test_a_target_answers_in_its_own_pseudonyms(harness: LinkageHarness) -> None:
    answer = prepare_target(harness).translate("text", NHS_NUMBER, NUMBERS[0])
    assert answer.outcome is LinkageOutcome.FOUND
    assert answer.pseudonym == harness.pseudonym(NUMBERS[0], "stroke")
    assert answer.identifier == ""


def test_a_target_excludes_people_whom_it_cannot_check(harness: LinkageHarness) -> None:
    harness.apply_opt_outs("stroke", NUMBERS[1])
    target = prepare_target(harness)
    local = IdentifierKind.parse("mrn@RXH")
    outcomes = [
        target.translate("text", kind, number).outcome
        for kind, number in (
            (NHS_NUMBER, NUMBERS[0]),
            (NHS_NUMBER, NUMBERS[1]),
            (local, "A1"),
        )
    ]
    opted_out = LinkageOutcome.OPTED_OUT
    assert outcomes == [LinkageOutcome.FOUND, opted_out, opted_out]


@pytest.mark.parametrize("follows_merges", [False, True])
def test_a_target_knows_a_merged_person_by_its_own_rule(
    harness: LinkageHarness, follows_merges: bool
) -> None:
    former, current = NUMBERS[0], NUMBERS[4]
    table = SupersededNumbers.build(
        np.array([int(former)], np.int64), np.array([int(current)], np.int64)
    )
    harness.superseded = PinnedSupersededNumbers(table=table, pin="list:1")
    harness.change_project("stroke", follows_merges=follows_merges)
    person = prepare_target(harness).describe_person(NHS_NUMBER, former)
    assert person.canonical == (current if follows_merges else former)
    assert person.is_moved is follows_merges
    assert person.canonical not in repr(replace(person))
