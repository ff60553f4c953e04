"""Every use case checks permission first, and each refusal is on record."""

from collections.abc import Callable

import pytest

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.errors import (
    AccessDenied,
    PseudoError,
    PurposeMissing,
    StateConflict,
)
from pseudo_service.core.projects.project import (
    ProjectState,
)
from tests.lib.harnesses.custodians import (
    CUSTODIAN,
    LOADER,
    CustodianHarness,
    make_request,
)

NUMBER = "9990000018"


@pytest.fixture
def bench() -> CustodianHarness:
    return CustodianHarness()


@pytest.fixture
def asthma(bench: CustodianHarness) -> CustodianHarness:
    bench.lifecycle.create(make_request(), CUSTODIAN)
    return bench


def test_who_is_not_custodian_is_refused_on_record_before_all_else(
    asthma: CustodianHarness,
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


def test_a_refusal_that_cannot_be_recorded_is_no_permission(
    asthma: CustodianHarness,
) -> None:
    def fail(_: object) -> None:
        msg = "locked"
        raise StateConflict(msg)

    asthma.journal.record = fail  # type: ignore[method-assign]
    with pytest.raises(PseudoError):
        asthma.lifecycle.suspend("asthma", reason="mine", actor=LOADER)
    assert asthma.projects.get("asthma").state is ProjectState.ACTIVE


def test_the_purpose_is_asked_for_after_the_permission(
    asthma: CustodianHarness,
) -> None:
    def require(actor: Actor, purpose: str) -> None:
        asthma.access_control.require_for_data(
            actor, Permission.DEIDENTIFY, project="asthma", purpose=purpose
        )

    require(LOADER, "service evaluation")
    with pytest.raises(PurposeMissing):
        require(LOADER, "")
    with pytest.raises(AccessDenied):
        require(CUSTODIAN, "")
