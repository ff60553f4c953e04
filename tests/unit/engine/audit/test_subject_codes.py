"""Keyed codes of one person: the same from every spelling of a number."""

import numpy as np
import pytest

from pseudo_service.core.errors import IdentifierRefused
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.request_events import SERVICE_ROOT

NUMBER, FORMER = make_nhs_number(12_345), make_nhs_number(54_321)
MERGED = PinnedSupersededNumbers(
    table=SupersededNumbers.build(np.array([int(FORMER)]), np.array([int(NUMBER)])),
    pin="a",
)


def make_codes(superseded: PinnedSupersededNumbers | None = None) -> SubjectCodes:
    return SubjectCodes(
        service_root=SERVICE_ROOT,
        rules=IdentifierRules(
            accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
        ),
        read_superseded=lambda: superseded or PinnedSupersededNumbers(),
    )


@pytest.mark.parametrize(
    "spelling", [NUMBER, f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}", f" {NUMBER} "]
)
def test_every_spelling_is_one_number(spelling: str) -> None:
    person = make_codes().read_numbers(spelling, "nhs_number")
    assert (person.kind, person.number, person.others) == (NHS_NUMBER, NUMBER, ())


@pytest.mark.parametrize(("asked", "other"), [(NUMBER, FORMER), (FORMER, NUMBER)])
def test_a_merged_person_has_every_number(asked: str, other: str) -> None:
    person = make_codes(MERGED).read_numbers(asked, "nhs_number")
    assert (person.number, person.others) == (asked, (other,))
    assert asked not in repr(person)
    assert other not in repr(person)


def test_the_table_of_superseded_numbers_is_of_nhs_numbers_only() -> None:
    person = make_codes(MERGED).read_numbers(FORMER, "mrn@RXH")
    assert person.others == ()


def test_a_code_and_an_index_are_keyed_apart() -> None:
    codes = make_codes()
    for use, found in (
        (KeyUse.SUBJECT_CODE, codes.encode(NHS_NUMBER, NUMBER)),
        (
            KeyUse.BLIND_INDEX,
            codes.index(NHS_NUMBER, NUMBER).removeprefix("nhs_number:"),
        ),
    ):
        key = SERVICE_ROOT.derive(use, "nhs_number")
        assert found == KeyedHash(key, NHS_NUMBER).mac_one(NUMBER).hex()
    local = IdentifierKind.parse("mrn@RXH")
    assert codes.encode(local, NUMBER) != codes.encode(NHS_NUMBER, NUMBER)
    assert codes.index(local, "A1").startswith("mrn@RXH:")


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [("9990000019", "nhs_number"), ("", "nhs_number"), ("A1", "Surname")],
)
def test_what_is_no_number_is_refused_without_being_repeated(
    identifier: str, kind: str
) -> None:
    with pytest.raises(IdentifierRefused) as refusal:
        make_codes().read_numbers(identifier, kind)
    assert "9990000019" not in refusal.value.message
