"""The digest and the statement of a map of key versions."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.pseudonyms.version_map import (
    KeyVersionPairs,
    PairsDigest,
    build_key_map_statement,
    check_versions,
)

TEXTS = st.text(st.characters(codec="ascii", categories=["Lu", "Nd"]), max_size=6)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=12)


@given(PAIRS, st.integers(1, 5))
def test_the_digest_is_that_of_the_file(pairs: list[tuple[str, str]], by: int) -> None:
    digest = PairsDigest()
    for start in range(0, len(pairs), by):
        part = pairs[start : start + by]
        digest.add([old for old, _ in part], [new for _, new in part])
    whole = "".join(f"{old},{new}\n" for old, new in pairs)
    assert digest.hex() == hashlib.sha256(whole.encode()).hexdigest()
    assert digest.pairs == len(pairs)


def test_lists_of_two_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        PairsDigest().add(["A", "B"], ["C"])


@given(st.integers(-1, 6), st.integers(-1, 6), st.integers(1, 5))
def test_a_map_leads_from_an_older_to_a_newer_version(
    old: int, new: int, newest: int
) -> None:
    versions = (KeyVersion(old), KeyVersion(new), KeyVersion(newest))
    if 1 <= old < new <= newest:
        check_versions(*versions)
        return
    with pytest.raises(InvalidArgument, match=f"at most {newest}"):
        check_versions(*versions)


def test_the_statement_says_all_that_a_verifier_needs() -> None:
    digest = PairsDigest()
    digest.add(["A"], ["B"])
    statement = build_key_map_statement(
        project=ProjectId("asthma"),
        old_version=KeyVersion(1),
        new_version=KeyVersion(2),
        digest=digest,
        unaccounted=["run-1 part 2"],
        actor="officer",
        purpose="carry the cohort over",
        operation=OperationId("key-map-1"),
        issued_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    )
    assert json.loads(statement) == {
        "format": "pseudo/key-version-map/v1",
        "project": "asthma",
        "old_version": 1,
        "new_version": 2,
        "pairs": 1,
        "sha256": hashlib.sha256(b"A,B\n").hexdigest(),
        "unaccounted_operations": ["run-1 part 2"],
        "actor": "officer",
        "purpose": "carry the cohort over",
        "operation": "key-map-1",
        "issued_at": "2026-03-02T09:00:00+00:00",
    }


def test_pairs_are_not_printed() -> None:
    shown = repr(KeyVersionPairs(old=["OLD-1"], new=["NEW-1"]))
    assert "OLD-1" not in shown
    assert "NEW-1" not in shown
