"""Projects, key versions and policies: made once, moved by the table, on record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.access.roles import Actor, Permission, RoleGrant
from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
    KeyUnknown,
    PolicyExists,
    PolicyInvalid,
    PolicyUnknown,
    ProjectExists,
    ProjectNotActive,
    ProjectUnknown,
    PseudoError,
    PurposeMissing,
    StateConflict,
)
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    ProjectState,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle, ProjectRequest
from pseudo_service.engine.projects.policy_registry import PolicyRegistry, parse_address
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal, MemoryPolicies, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail
from tests.lib.values.cohort import write_policy

PSEUDONYMS = RootPurpose.PSEUDONYMS
NUMBER = "9990000018"


def make_actor(*roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject="local:somebody", grants=grants, expires_at=None)


CUSTODIAN = make_actor("custodian")
LOADER = make_actor("pipeline:asthma")


def make_request(project: str = "asthma", **changes: object) -> ProjectRequest:
    request = ProjectRequest(
        project_id=project,
        title="Outcomes of asthma",
        date_shift=DateShiftRule(bound=52),
        opt_outs=OptOutRule(
            application=OptOutApplication.NOT_APPLICABLE, legal_basis="consent"
        ),
        daily_quota=1000,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


class Bench:
    """The use cases of custodians over stores in memory."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.clock = FakeClock()
        self.vault = MemoryVault()
        self.vault.create_key("audit")
        self.rows = MemoryKeyRows(self.trail)
        self.projects = MemoryProjects(self.rows, self.trail)
        self.policies = MemoryPolicies(self.trail)
        self.journal = MemoryJournal(self.trail)
        self.ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy("keys"),
            lifetime=timedelta(hours=1),
        )
        self.access_control = AccessControl(journal=self.journal, clock=self.clock)
        shared = {
            "projects": self.projects,
            "clock": self.clock,
            "access_control": self.access_control,
        }
        self.lifecycle = ProjectLifecycle(
            rows=self.rows,
            key_ring=self.ring,
            vault=self.vault,
            entropy=SeededEntropy("tags"),
            **shared,
        )
        self.rotation = KeyRotation(rows=self.rows, key_ring=self.ring, **shared)
        self.registry = PolicyRegistry(policies=self.policies, **shared)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def asthma(bench: Bench) -> Bench:
    bench.lifecycle.create(make_request(), CUSTODIAN)
    return bench


def test_a_project_has_two_roots_and_one_event(bench: Bench) -> None:
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


def test_an_id_is_never_used_twice(asthma: Bench) -> None:
    before = asthma.ring.newest("asthma", PSEUDONYMS).check_value()
    with pytest.raises(ProjectExists):
        asthma.lifecycle.create(make_request(title="Another"), CUSTODIAN)
    assert asthma.ring.newest("asthma", PSEUDONYMS).check_value() == before
    assert asthma.projects.get("asthma").title == "Outcomes of asthma"


def test_a_tag_that_is_taken_is_drawn_again(bench: Bench) -> None:
    bench.projects.refuse_tags = 3
    facts = bench.lifecycle.create(make_request(), CUSTODIAN)
    other = bench.lifecycle.create(make_request("stroke"), CUSTODIAN)
    assert facts.project.tag != other.project.tag


def test_when_every_tag_is_taken_it_says_so(bench: Bench) -> None:
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


def test_a_reference_number_is_no_patient_s(bench: Bench) -> None:
    request = make_request(title="IRAS 301234, from 2026-03-01: asthma")
    assert bench.lifecycle.create(request, CUSTODIAN).project.title == request.title


@pytest.mark.parametrize("mention", BAD_REQUESTS)
def test_a_bad_request_makes_nothing(mention: str, bench: Bench) -> None:
    with pytest.raises(InvalidArgument, match=mention) as caught:
        bench.lifecycle.create(make_request(**BAD_REQUESTS[mention]), CUSTODIAN)
    assert NUMBER not in caught.value.message
    assert "wrap" not in bench.vault.asked
    assert bench.trail.events == []


def test_suspend_and_resume(asthma: Bench) -> None:
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
def test_a_reason_is_a_short_line_that_names_nobody(reason: str, asthma: Bench) -> None:
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


def test_rotation_makes_the_next_version_of_pseudonyms_only(asthma: Bench) -> None:
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
def test_rotation_needs_the_current_version(believed: int, asthma: Bench) -> None:
    with pytest.raises(StateConflict, match=f"is 1, not {believed}"):
        asthma.rotation.rotate(
            "asthma", current_version=believed, reason="yearly", actor=CUSTODIAN
        )
    assert len(asthma.rows.versions("asthma", PSEUDONYMS)) == 1


def test_of_many_rotations_at_once_one_wins(asthma: Bench) -> None:
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


def test_a_suspended_or_unknown_project_is_not_rotated(asthma: Bench) -> None:
    asthma.lifecycle.suspend("asthma", reason="a question", actor=CUSTODIAN)
    for project, error in (("asthma", ProjectNotActive), ("stroke", ProjectUnknown)):
        with pytest.raises(error):
            asthma.rotation.rotate(
                project, current_version=1, reason="yearly", actor=CUSTODIAN
            )
    assert len(asthma.rows.rows) == 2


def test_a_project_without_keys_is_not_given_one_by_rotation(asthma: Bench) -> None:
    asthma.rows.rows.clear()
    with pytest.raises(KeyUnknown):
        asthma.rotation.rotate(
            "asthma", current_version=1, reason="yearly", actor=CUSTODIAN
        )
    assert asthma.rows.rows == {}


def test_a_policy_is_kept_as_it_was_written(asthma: Bench) -> None:
    text = write_policy("asthma")
    stored = asthma.registry.register(text, CUSTODIAN)
    assert stored.text == text
    assert stored.registered_by == CUSTODIAN.subject
    assert asthma.registry.get("asthma", "cohort@1", LOADER) == stored
    assert asthma.registry.list("asthma", LOADER) == [stored]
    assert asthma.registry.resolve("asthma", "cohort@1").digest == stored.digest
    assert asthma.registry.resolve("asthma", "asthma/cohort@1").digest == stored.digest


def test_the_same_meaning_again_changes_nothing(asthma: Bench) -> None:
    first = asthma.registry.register(write_policy("asthma"), CUSTODIAN)
    asthma.clock.advance(days=1)
    again = asthma.registry.register(write_policy("asthma") + "# note\n", CUSTODIAN)
    assert again == first
    with pytest.raises(PolicyExists):
        asthma.registry.register(write_policy("asthma", rename="person"), CUSTODIAN)
    assert asthma.trail.kinds().count("policy_registered") == 1


def test_a_stored_policy_that_somebody_edited_is_refused(asthma: Bench) -> None:
    asthma.registry.register(write_policy("asthma"), CUSTODIAN)
    asthma.registry.register(write_policy("asthma", number=2), CUSTODIAN)
    place = ("asthma", "cohort", 1)
    stored = asthma.policies.policies[place]
    kept = stored.text.replace(
        "surname: {treatment: drop}", "surname: {treatment: keep, reason: why not}"
    )
    assert kept != stored.text
    moved = asthma.policies.policies["asthma", "cohort", 2]
    for text, digest in ((kept, stored.digest), (moved.text, moved.digest)):
        asthma.policies.policies[place] = replace(stored, text=text, digest=digest)
        with pytest.raises(PolicyInvalid, match="was changed"):
            asthma.registry.resolve("asthma", "cohort@1")


def test_a_policy_needs_its_project(asthma: Bench) -> None:
    with pytest.raises(ProjectUnknown):
        asthma.registry.register(write_policy("stroke"), CUSTODIAN)
    with pytest.raises(PolicyUnknown):
        asthma.registry.resolve("asthma", "cohort@1")
    assert asthma.policies.policies == {}


ADDRESSES = ["", "cohort", "cohort@0", "cohort@", "@1", "stroke/cohort@1", "a/b/c@1"]


@pytest.mark.parametrize("address", [*ADDRESSES, NUMBER, f"{NUMBER}@1", "cohort@1\n"])
def test_an_address_has_one_form(address: str) -> None:
    with pytest.raises(PolicyInvalid, match="of project asthma") as caught:
        parse_address(address, "asthma")
    assert NUMBER not in caught.value.message


def test_who_is_not_custodian_is_refused_on_record_before_all_else(
    asthma: Bench,
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: asthma.lifecycle.create(make_request("stroke"), LOADER),
        lambda: asthma.lifecycle.suspend("asthma", reason="mine", actor=LOADER),
        lambda: asthma.lifecycle.resume("nothing-here", reason="mine", actor=LOADER),
        lambda: asthma.rotation.rotate(
            "asthma", current_version=9, reason="", actor=LOADER
        ),
        lambda: asthma.registry.register(f"no policy {NUMBER}", LOADER),
        lambda: asthma.lifecycle.list(LOADER),
        lambda: asthma.lifecycle.get("stroke", LOADER),
    ]
    for call in calls:
        with pytest.raises(AccessDenied):
            call()
    events = asthma.trail.events[1:]
    assert [event.kind.value for event in events] == ["call_refused"] * len(calls)
    assert {event.actor for event in events} == {LOADER.subject}
    assert NUMBER not in f"{events}"


def test_a_refusal_that_cannot_be_recorded_is_no_permission(asthma: Bench) -> None:
    def fail(_: object) -> None:
        msg = "locked"
        raise StateConflict(msg)

    asthma.journal.record = fail  # type: ignore[method-assign]
    with pytest.raises(PseudoError):
        asthma.lifecycle.suspend("asthma", reason="mine", actor=LOADER)
    assert asthma.projects.get("asthma").state is ProjectState.ACTIVE


def test_the_purpose_is_asked_for_after_the_permission(asthma: Bench) -> None:
    def require(actor: Actor, purpose: str) -> None:
        asthma.access_control.require_for_data(
            actor, Permission.DEIDENTIFY, project="asthma", purpose=purpose
        )

    require(LOADER, "service evaluation")
    with pytest.raises(PurposeMissing):
        require(LOADER, "")
    with pytest.raises(AccessDenied):
        require(CUSTODIAN, "")
