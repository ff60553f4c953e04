"""A map of key versions pairs the same person's pseudonyms, and is signed."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.pseudonyms.version_map import KeyVersionPairs, PairsDigest
from pseudo_service.engine.disclosures import version_map
from pseudo_service.engine.disclosures.version_map import (
    KeyVersionMap,
    KeyVersionMapEnd,
)
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from tests.lib.harnesses.register_maintenance import MaintainedRegister, cared
from tests.lib.harnesses.register_queries import OFFICER, STUDY, QueriedRegister
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(87_000, 8)
ONE, TWO = KeyVersion(1), KeyVersion(2)


@pytest.fixture
def queried(cared: MaintainedRegister) -> QueriedRegister:
    return QueriedRegister(cared)


def begin(
    queried: QueriedRegister, old: int = 1, new: int = 2
) -> Iterator[KeyVersionPairs | KeyVersionMapEnd]:
    signer = ReceiptSigner(
        vault=queried.cared.vault,
        clock=queried.cared.clock,
        entropy=queried.cared.entropy,
        process="process-1",
        instance="pseudo",
        lifetime=timedelta(hours=1),
    )
    mapping = KeyVersionMap(
        queries=queried.queries,
        key_ring=queried.key_ring,
        signer=signer,
        clock=queried.cared.clock,
    )
    return mapping.map(
        STUDY,
        old_version=KeyVersion(old),
        new_version=KeyVersion(new),
        purpose="carry the cohort over",
        actor=OFFICER,
    )


def read(queried: QueriedRegister) -> tuple[list[tuple[str, str]], KeyVersionMapEnd]:
    pairs: list[tuple[str, str]] = []
    end = None
    for item in begin(queried):
        assert end is None
        if isinstance(item, KeyVersionMapEnd):
            end = item
        else:
            pairs += zip(item.old, item.new, strict=True)
    assert end is not None
    return pairs, end


def test_everyone_released_under_the_old_version_is_paired(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS[:4], "run-1")
    queried.cared.release(NUMBERS[3:5], "run-2")
    queried.cared.release(NUMBERS[5:], "run-3", key_version=2)
    queried.cared.release(NUMBERS[5:], "run-4", use=DisclosureUse.DATES)
    pairs, end = read(queried)
    old, new = (queried.write(NUMBERS[:5], version) for version in (ONE, TWO))
    assert pairs == sorted(zip(old, new, strict=True))
    assert (end.pairs, end.unaccounted) == (5, [])


def test_the_statement_covers_all_pairs(
    queried: QueriedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_map, "CHUNK", 2)
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS, "run-1")
    pairs, end = read(queried)
    digest = PairsDigest()
    digest.add([old for old, _ in pairs], [new for _, new in pairs])
    stated = json.loads(end.statement.statement)
    assert (stated["pairs"], stated["sha256"]) == (8, digest.hex())
    assert (stated["old_version"], stated["new_version"]) == (1, 2)
    assert stated["actor"] == "officer"
    (body,) = queried.cared.list_events(AuditKind.KEY_MAPPED.value)
    assert stated["operation"] in body
    assert digest.hex() in body


def test_released_people_who_are_not_registered_are_told(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS[:2])
    queried.cared.release(NUMBERS[:5], "run-1")
    pairs, end = read(queried)
    assert len(pairs) == 2
    (line,) = end.unaccounted
    assert line.startswith("3 released people are not in the register")
    stated = json.loads(end.statement.statement)
    assert stated["unaccounted_operations"] == [line]


def test_nobody_released_is_an_empty_map(queried: QueriedRegister) -> None:
    queried.cared.add(NUMBERS)
    pairs, end = read(queried)
    assert (pairs, end.pairs) == ([], 0)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 1), (0, 1), (1, 3)])
def test_other_versions_are_refused_and_leave_no_intent(
    queried: QueriedRegister, old: int, new: int
) -> None:
    with pytest.raises(InvalidArgument):
        begin(queried, old, new)
    assert queried.cared.list_events(AuditKind.KEY_MAP_INTENT.value) == []
