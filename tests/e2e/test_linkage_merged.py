"""The desk and people with several numbers; what a translation leaves behind."""

import pytest

from tests.e2e.test_opt_outs import APPLIED, load
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers
from tests.lib.values.linkage_people import PURPOSE, People, vote

OLD, NEW, OTHER = make_numbers(70_000, 3)
TARGET = "kidney"


@pytest.fixture
def people(service: RunningService) -> People:
    """Asthma holds OLD and OTHER as they were; then OLD is superseded by NEW."""
    service.deidentify(make_cohort([OLD, OTHER]))
    service.custodian().load_aliases(entries=1, chunks=[[(OLD, NEW)]])
    return People(service=service)


def translate(people: People, *numbers: str) -> dict[str, str]:
    """Return the target's pseudonyms of people of asthma, by number."""
    asthma = {people.service.pseudonymise(number): number for number in numbers}
    officer = people.be("mara", "linkage_officer:asthma", f"linkage_officer:{TARGET}")
    asked = people.submit(
        sorted(asthma), client=officer, verb="translate", target_project=TARGET
    )
    people.approve(asked)
    assert vote(people.be("noor", f"guardian:{TARGET}"), asked).state == "approved"
    result = people.open(officer.redeem_linkage(asked.request_id), asked)
    return {asthma[row["subject"]]: row["pseudonym"] for row in result.rows}


def test_a_translation_into_a_number_that_is_new_can_be_led_back(
    people: People,
) -> None:
    """The target follows merges: what it gets is of a number that nobody had sent."""
    people.service.create_project(TARGET, follows_merges=True)
    theirs = translate(people, OLD)
    officer = people.be("mara", f"linkage_officer:{TARGET}")
    asked = people.submit([theirs[OLD]], client=officer, project=TARGET)
    guardian = people.be("noor", f"guardian:{TARGET}")
    colleague = people.be("kit", f"linkage_officer:{TARGET}")
    people.approve(asked, guardian, colleague)
    (row,) = people.open(officer.redeem_linkage(asked.request_id), asked).rows
    assert (row["outcome"], row["identifier"]) == ("found", NEW)


def test_who_came_by_translation_is_recalled(people: People) -> None:
    """No table was ever released there; the opt-out came after the translation."""
    people.service.create_project(TARGET, opt_outs=APPLIED)
    load(people.service, [NEW])
    theirs = translate(people, OTHER)
    assert theirs[OTHER]
    load(people.service, [OTHER])
    recalled: list[str] = []
    officer = people.be("mara", f"linkage_officer:{TARGET}")
    report = officer.recall_opt_outs(TARGET, purpose=PURPOSE, take=recalled.extend)
    assert recalled == [theirs[OTHER]]
    assert report.people_opted_out == 1


def test_a_person_is_located_under_every_number_they_had(people: People) -> None:
    for number in (OLD, NEW):
        asked = people.submit(
            verb="locate",
            identifier=number,
            kind="nhs_number",
            legal_basis="subject_request",
        )
        people.approve(asked)
        result = people.open(people.mara.redeem_linkage(asked.request_id), asked)
        assert [row["project"] for row in result.rows] == ["asthma"]
