"""A quota counts keyed codes, which cannot be joined to the register."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.engine.access.quota import charge_quota
from pseudo_service.ports.journal import QuotaCharge

KEY = SecretKey(b"\x01" * 32)
DAY = date(2026, 3, 2)


def make_blind(count: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, 16), np.uint8)


def charge(blind: npt.NDArray[np.uint8], key: SecretKey = KEY) -> QuotaCharge | None:
    return charge_quota(
        blind, key=key, caller="tenant:one", project="asthma", day=DAY, limit=7
    )


def test_no_identifier_is_no_charge() -> None:
    assert charge(make_blind(0)) is None


@given(count=st.integers(1, 200))
def test_one_code_for_each_identifier(count: int) -> None:
    found = charge(make_blind(count))
    assert found is not None
    assert found.codes.dtype == np.uint64
    assert len(set(found.codes.tolist())) == count
    assert (found.caller, found.project, found.day, found.limit) == (
        "tenant:one",
        "asthma",
        DAY,
        7,
    )


def test_the_same_identifier_has_the_same_code_in_every_batch() -> None:
    blind = make_blind(50)
    whole, part = charge(blind), charge(np.ascontiguousarray(blind[10:20][::-1]))
    assert whole is not None
    assert part is not None
    assert part.codes.tolist() == whole.codes[10:20][::-1].tolist()


def test_a_view_with_gaps_is_charged_as_its_copy() -> None:
    blind = make_blind(50)
    view, copy = charge(blind[::2]), charge(blind[::2].copy())
    assert view is not None
    assert copy is not None
    assert view.codes.tolist() == copy.codes.tolist()


@pytest.mark.parametrize("other", [b"\x02" * 32, b"\x01" * 31 + b"\x00"])
def test_another_key_gives_other_codes_than_this_and_than_the_index(
    other: bytes,
) -> None:
    blind = make_blind(50)
    first, second = charge(blind), charge(blind, SecretKey(other))
    assert first is not None
    assert second is not None
    plain = set(blind.view("<u8")[:, 0].tolist())
    assert not set(first.codes.tolist()) & set(second.codes.tolist())
    assert not set(first.codes.tolist()) & plain
