"""Projects, key versions and policies: made once, moved by the table, on record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pseudo_service.core.errors import (
    InvalidArgument,
    KeyUnknown,
    ProjectExists,
    ProjectNotActive,
    ProjectUnknown,
    StateConflict,
)
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    ProjectState,
)
from tests.lib.harnesses.custodians import (
    CUSTODIAN,
    CustodianHarness,
    make_request,
)

PSEUDONYMS = RootPurpose.PSEUDONYMS
NUMBER = "9990000018"


@pytest.fixture
def bench() -> CustodianHarness:
    return CustodianHarness()


@pytest.fixture
def asthma(bench: CustodianHarness) -> CustodianHarness:
    bench.lifecycle.create(make_request(), CUSTODIAN)
    return bench


def test_a_project_has_two_roots_and_one_event(bench: CustodianHarness) -> None:
    facts = bench.lifecycle.create(make_request(), CUSTODIAN)
    assert [row.version for row in facts.keys] == [1]
    assert {place[:2] for place in bench.rows.rows} == {
        ("asthma", PSEUDONYMS),
        ("asthma", RootPurpose.STABLE),
    }
    (event,) = bench.trail.events
    assert event.details["pseudonym_key"] == facts.keys[0].check_value.hex()
    assert event.details["daily_quota"] == 1000
    for purpose in (PSEUDONYMS, RootPurpose.STABLE):
        assert bench.ring.newest("asthma", purpose).version == 1


def test_an_id_is_never_used_twice(asthma: CustodianHarness) -> None:
    before = asthma.ring.newest("asthma", PSEUDONYMS).check_value()
    with pytest.raises(ProjectExists):
        asthma.lifecycle.create(make_request(title="Another"), CUSTODIAN)
    assert asthma.ring.newest("asthma", PSEUDONYMS).check_value() == before
    assert asthma.projects.get("asthma").title == "Outcomes of asthma"


def test_a_tag_that_is_taken_is_drawn_again(bench: CustodianHarness) -> None:
    bench.projects.refuse_tags = 3
    facts = bench.lifecycle.create(make_request(), CUSTODIAN)
    other = bench.lifecycle.create(make_request("stroke"), CUSTODIAN)
    assert facts.project.tag != other.project.tag


def test_when_every_tag_is_taken_it_says_so(bench: CustodianHarness) -> None:
    bench.projects.refuse_tags = 100
    with pytest.raises(StateConflict, match="tag"):
        bench.lifecycle.create(make_request(), CUSTODIAN)
    assert bench.projects.list() == []


BAD_REQUESTS: dict[str, dict[str, object]] = {
    "project": {"project_id": "Asthma!"},
    "title": {"title": " "},
    "one line": {"title": "two\nlines"},
    "200": {"title": "x" * 201},
    "quota": {"daily_quota": 0},
    "title: leave the long number": {"title": "about 999 000-0018"},
    "basis: leave the long number": {
        "opt_outs": OptOutRule(
            application=OptOutApplication.APPLIED, legal_basis=f"as {NUMBER} wishes"
        )
    },
}


def test_a_reference_number_is_no_patient_s(bench: CustodianHarness) -> None:
    request = make_request(title="IRAS 301234, from 2026-03-01: asthma")
    assert bench.lifecycle.create(request, CUSTODIAN).project.title == request.title


@pytest.mark.parametrize("mention", BAD_REQUESTS)
def test_a_bad_request_makes_nothing(mention: str, bench: CustodianHarness) -> None:
    with pytest.raises(InvalidArgument, match=mention) as caught:
        bench.lifecycle.create(make_request(**BAD_REQUESTS[mention]), CUSTODIAN)
    assert NUMBER not in caught.value.message
    assert "wrap" not in bench.vault.asked
    assert bench.trail.events == []


def test_suspend_and_resume(asthma: CustodianHarness) -> None:
    facts = asthma.lifecycle.suspend("asthma", reason=" a question ", actor=CUSTODIAN)
    assert facts.project.state is ProjectState.SUSPENDED
    with pytest.raises(ProjectNotActive):
        asthma.projects.get("asthma").check_active()
    with pytest.raises(StateConflict):
        asthma.lifecycle.suspend("asthma", reason="again", actor=CUSTODIAN)
    asthma.lifecycle.resume("asthma", reason="answered", actor=CUSTODIAN)
    asthma.projects.get("asthma").check_active()
    assert asthma.trail.kinds()[1:] == ["project_suspended", "project_resumed"]
    assert asthma.trail.events[1].details == {"reason": "a question"}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\nb", f"patient {NUMBER}"])
def test_a_reason_is_a_short_line_that_names_nobody(
    reason: str, asthma: CustodianHarness
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: asthma.lifecycle.suspend("asthma", reason=reason, actor=CUSTODIAN),
        lambda: asthma.rotation.rotate(
            "asthma", current_version=1, reason=reason, actor=CUSTODIAN
        ),
    ]
    for call in calls:
        with pytest.raises(InvalidArgument, match="reason") as caught:
            call()
        assert NUMBER not in caught.value.message
    assert asthma.trail.kinds() == ["project_created"]


def test_rotation_makes_the_next_version_of_pseudonyms_only(
    asthma: CustodianHarness,
) -> None:
    stable = asthma.ring.newest("asthma", RootPurpose.STABLE)
    old = asthma.ring.newest("asthma", PSEUDONYMS)
    row = asthma.rotation.rotate(
        "asthma", current_version=1, reason="yearly", actor=CUSTODIAN
    )
    new = asthma.ring.newest("asthma", PSEUDONYMS)
    assert (row.version, new.version) == (2, 2)
    assert new.check_value() == row.check_value != old.check_value()
    assert asthma.ring.newest("asthma", RootPurpose.STABLE) is stable
    event = asthma.trail.events[-1]
    assert event.kind.value == "key_rotated"
    assert event.details["check_value"] == row.check_value.hex()


@pytest.mark.parametrize("believed", [0, 2, 99])
def test_rotation_needs_the_current_version(
    believed: int, asthma: CustodianHarness
) -> None:
    with pytest.raises(StateConflict, match=f"is 1, not {believed}"):
        asthma.rotation.rotate(
            "asthma", current_version=believed, reason="yearly", actor=CUSTODIAN
        )
    assert len(asthma.rows.versions("asthma", PSEUDONYMS)) == 1


def test_of_many_rotations_at_once_one_wins(asthma: CustodianHarness) -> None:
    def rotate(_: int) -> int:
        try:
            return asthma.rotation.rotate(
                "asthma", current_version=1, reason="yearly", actor=CUSTODIAN
            ).version
        except StateConflict:
            return 0

    with ThreadPoolExecutor(8) as pool:
        versions = sorted(pool.map(rotate, range(16)))
    assert versions == [0] * 15 + [2]
    assert asthma.trail.kinds().count("key_rotated") == 1


def test_a_suspended_or_unknown_project_is_not_rotated(
    asthma: CustodianHarness,
) -> None:
    asthma.lifecycle.suspend("asthma", reason="a question", actor=CUSTODIAN)
    for project, error in (("asthma", ProjectNotActive), ("stroke", ProjectUnknown)):
        with pytest.raises(error):
            asthma.rotation.rotate(
                project, current_version=1, reason="yearly", actor=CUSTODIAN
            )
    assert len(asthma.rows.rows) == 2


def test_a_project_without_keys_is_not_given_one_by_rotation(
    asthma: CustodianHarness,
) -> None:
    asthma.rows.rows.clear()
    with pytest.raises(KeyUnknown):
        asthma.rotation.rotate(
            "asthma", current_version=1, reason="yearly", actor=CUSTODIAN
        )
    assert asthma.rows.rows == {}
