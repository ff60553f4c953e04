"""Runs of the register's maintenance at one moment lose nobody between them."""

from collections.abc import Iterator

import pytest

from pseudo_service.adapters.sql.stores import register as sql_register
from pseudo_service.engine.register import opening
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.engine.register.segment_rewriting import SegmentRewriting
from tests.lib.harnesses.register_maintenance import ROOT, MaintainedRegister, cared
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(71_000, 1)


def test_two_compactions_at_once_never_both_drop_somebody(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PAGE_IDENTITIES", 1)
    monkeypatch.setattr(sql_register, "LARGEST_PAGE", 1)
    cared.add(NUMBERS[:1])
    cared.add(NUMBERS[:1])
    first, second = (begin_rewriting(cared, name) for name in ("first", "second"))
    for run in (first, second, second, first):
        next(run, None)
    assert {text for _, text in cared.read()} == {NUMBERS[0]}


def begin_rewriting(cared: MaintainedRegister, operation: str) -> Iterator[object]:
    """Open the register for a compaction, and return its steps."""
    return SegmentRewriting(
        opened=cared.opening.open(RegisterGrant(operation=operation)),
        keeper=cared.keeper,
        sealer=RewriteSealer(
            vault=cared.vault,
            clock=cared.clock,
            entropy=cared.entropy,
            service_root=ROOT,
        ),
        describe=lambda _: make_event(),
    ).merge()
