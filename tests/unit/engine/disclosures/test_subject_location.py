"""Where a person was released, against a plain account of the operations."""

import pytest

from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.errors import GrantSpent, IdentifierRefused, InvalidArgument
from pseudo_service.engine.disclosures.subject_location import (
    SubjectLocation,
    parse_subject,
)
from pseudo_service.engine.register.opening import RegisterGrant
from tests.lib.harnesses.register_maintenance import (
    NHS,
    PROJECT,
    MaintainedRegister,
    cared,
    hash_blindly,
)
from tests.lib.harnesses.register_queries import QueriedRegister
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(88_000, 6)


@pytest.fixture
def queried(cared: MaintainedRegister) -> QueriedRegister:
    return QueriedRegister(cared)


@pytest.fixture
def location(queried: QueriedRegister) -> SubjectLocation:
    return SubjectLocation(
        opening=queried.cared.opening,
        disclosures=queried.reader,
        unaccounted=queried.unaccounted,
    )


def name(number: str) -> str:
    return f"{NHS.text}:{hash_blindly([number]).tobytes().hex()}"


def locate(
    location: SubjectLocation, *numbers: str
) -> list[tuple[str, DisclosureUse, int, int]]:
    grant = RegisterGrant(operation="test")
    found = location.locate(grant, subjects=[name(number) for number in numbers])
    return [
        (row.project, row.use, row.key_version, row.operations) for row in found.rows
    ]


def test_each_use_and_version_is_a_row(
    queried: QueriedRegister, location: SubjectLocation
) -> None:
    queried.cared.release(NUMBERS[:3], "run-1")
    queried.cared.release(NUMBERS[1:2], "run-1")  # a later part of the same run
    queried.cared.release(NUMBERS[:2], "run-2")
    queried.cared.release(NUMBERS[:2], "run-3", key_version=2)
    queried.cared.release(NUMBERS[1:], "run-4", use=DisclosureUse.DATES)
    assert locate(location, NUMBERS[1]) == [
        (PROJECT, DisclosureUse.DATES, 1, 1),
        (PROJECT, DisclosureUse.PSEUDONYM, 1, 2),
        (PROJECT, DisclosureUse.PSEUDONYM, 2, 1),
    ]
    assert locate(location, "9990441537") == []


def test_calls_of_no_operation_are_counted_one_by_one(
    queried: QueriedRegister, location: SubjectLocation
) -> None:
    for _ in range(3):
        queried.cared.release(NUMBERS[:1], "")
    assert locate(location, NUMBERS[0]) == [(PROJECT, DisclosureUse.PSEUDONYM, 1, 3)]


def test_all_numbers_of_a_person_are_looked_for(
    queried: QueriedRegister, location: SubjectLocation
) -> None:
    queried.cared.release(NUMBERS[:1], "run-1")
    queried.cared.release(NUMBERS[1:2], "run-2")
    found = locate(location, NUMBERS[0], NUMBERS[1])
    assert found == [(PROJECT, DisclosureUse.PSEUDONYM, 1, 2)]


def test_the_times_are_the_first_and_the_last(
    queried: QueriedRegister, location: SubjectLocation
) -> None:
    first = queried.cared.clock.now()
    queried.cared.release(NUMBERS, "run-1")
    queried.cared.clock.advance(days=3)
    queried.cared.release(NUMBERS, "run-2")
    grant = RegisterGrant(operation="test")
    (row,) = location.locate(grant, subjects=[name(NUMBERS[0])]).rows
    assert (row.first, row.last) == (first, queried.cared.clock.now())


def test_a_grant_is_spent_by_it(location: SubjectLocation) -> None:
    grant = RegisterGrant(operation="test")
    location.locate(grant, subjects=[name(NUMBERS[0])])
    with pytest.raises(GrantSpent):
        location.locate(grant, subjects=[name(NUMBERS[0])])


def test_a_subject_is_a_kind_and_a_blind_index() -> None:
    kind, blind = parse_subject(f"mrn@RXH:{bytes(range(16)).hex()}")
    assert (kind.text, blind) == ("mrn@RXH", bytes(range(16)))


@pytest.mark.parametrize(
    "subject",
    ["", "nhs_number", "nhs_number:", "nhs_number:00", f"nhs_number:{'A' * 32}", "a:b"],
)
def test_another_text_is_no_subject(subject: str) -> None:
    with pytest.raises(InvalidArgument, match="subject: not a kind"):
        parse_subject(subject)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(IdentifierRefused):
        parse_subject(f"nonsense:{'0' * 32}")
