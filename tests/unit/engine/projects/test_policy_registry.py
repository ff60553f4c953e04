"""Policies are registered once, read as they were written, and never changed."""

from dataclasses import replace

import pytest

from pseudo_service.core.errors import (
    PolicyExists,
    PolicyInvalid,
    PolicyUnknown,
    ProjectUnknown,
)
from pseudo_service.core.policies.policy import Policy
from pseudo_service.engine.projects.policy_registry import parse_address
from tests.lib.harnesses.custodians import (
    CUSTODIAN,
    LOADER,
    CustodianHarness,
    make_request,
)
from tests.lib.values.cohort import write_policy

NUMBER = "9990000018"


@pytest.fixture
def bench() -> CustodianHarness:
    return CustodianHarness()


@pytest.fixture
def asthma(bench: CustodianHarness) -> CustodianHarness:
    bench.lifecycle.create(make_request(), CUSTODIAN)
    return bench


def test_a_policy_is_kept_as_it_was_written(asthma: CustodianHarness) -> None:
    text = write_policy("asthma")
    stored = asthma.registry.register(text, CUSTODIAN)
    assert stored.text == text
    assert stored.registered_by == CUSTODIAN.subject
    assert asthma.registry.get("asthma", "cohort@1", LOADER) == stored
    assert asthma.registry.list("asthma", LOADER) == [stored]
    assert asthma.registry.resolve("asthma", "cohort@1").digest == stored.digest
    assert asthma.registry.resolve("asthma", "asthma/cohort@1").digest == stored.digest


def test_a_policy_s_digest_is_computed_once(
    asthma: CustodianHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = asthma.registry.register(write_policy("asthma"), CUSTODIAN)
    asthma.registry.resolve("asthma", "cohort@1")
    monkeypatch.setattr(Policy, "canonical_text", lambda _: pytest.fail("once more"))
    assert asthma.registry.resolve("asthma", "cohort@1").digest == stored.digest


def test_the_same_meaning_again_changes_nothing(asthma: CustodianHarness) -> None:
    first = asthma.registry.register(write_policy("asthma"), CUSTODIAN)
    asthma.clock.advance(days=1)
    again = asthma.registry.register(write_policy("asthma") + "# note\n", CUSTODIAN)
    assert again == first
    with pytest.raises(PolicyExists):
        asthma.registry.register(write_policy("asthma", rename="person"), CUSTODIAN)
    assert asthma.trail.kinds().count("policy_registered") == 1


def test_a_stored_policy_that_somebody_edited_is_refused(
    asthma: CustodianHarness,
) -> None:
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


def test_a_policy_needs_its_project(asthma: CustodianHarness) -> None:
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
