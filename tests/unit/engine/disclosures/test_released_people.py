"""Released people, matched to the register page by page, and their pseudonyms."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.sorted_macs import sort_distinct
from pseudo_service.core.errors import KeyUnknown
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from pseudo_service.engine.disclosures.released_people import (
    ReleasedPeople,
    describe_unmatched,
    open_writer,
)
from pseudo_service.engine.register.opening import OpenedIdentities
from tests.lib.harnesses.register_maintenance import (
    NHS,
    PROJECT,
    MaintainedRegister,
    cared,
)
from tests.lib.harnesses.register_queries import QueriedRegister
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NAMES = st.integers(0, 12)


def make_page(names: list[int]) -> OpenedIdentities:
    words = np.array([[name, 7] for name in names], ">u8").reshape(-1, 2)
    return OpenedIdentities(
        kind=NHS.text,
        canonical=pa.array([f"{name}" for name in names], pa.string()),
        blind=words.view(np.uint8).reshape(-1, 16),
        segments=("segment",),
        owner=np.zeros(len(names), np.int64),
    )


@given(st.sets(NAMES), st.lists(st.lists(NAMES, max_size=8), max_size=5))
def test_everyone_released_is_matched_once(
    released: set[int], pages: list[list[int]]
) -> None:
    people = ReleasedPeople(sort_distinct([np.array([*released], np.uint64)]))
    left = set(released)
    for names in pages:
        prefixes, canonical = people.match(make_page(names))
        expected = left & set(names)
        assert prefixes.tolist() == sorted(expected)
        assert canonical.to_pylist() == [f"{name}" for name in sorted(expected)]
        left -= expected
        assert people.unmatched == len(left)
    assert len(people) == len(released)


def test_unmatched_people_and_faults_are_told_and_nothing_else() -> None:
    assert list(describe_unmatched(0, 0)) == []
    assert len(list(describe_unmatched(0, 2))) == 1
    (line,) = describe_unmatched(3, 2)
    assert line.startswith("3 released people are not in the register, which has 2")


def test_a_writer_writes_under_its_version(cared: MaintainedRegister) -> None:
    queried = QueriedRegister(cared)
    numbers = make_numbers(83_000, 3)
    for version in (KeyVersion(1), KeyVersion(2)):
        written = queried.write(numbers, version)
        assert len({*written}) == 3
        assert {parse_pseudonym(text).version for text in written} == {version}
    with pytest.raises(KeyUnknown):
        queried.write(numbers, KeyVersion(3))


def test_a_writer_shows_no_key(cared: MaintainedRegister) -> None:
    queried = QueriedRegister(cared)
    project = queried.projects.get(PROJECT)
    assert "hash" not in repr(
        open_writer(queried.key_ring, project, NHS, KeyVersion(1))
    )
