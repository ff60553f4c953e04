"""Counting cells by code, batch by batch."""

import numpy as np

from pseudo_service.core.tables.quality import CellCodes, TableTally, count_codes


def test_codes_that_no_cell_has_are_left_out():
    assert count_codes(np.array([0, 2, 2], np.uint8), ("ok", "missing", "bad")) == {
        "ok": 1,
        "bad": 2,
    }


def test_rejected_cells_are_placed_in_the_batch_that_was_sent():
    cells = CellCodes(
        codes=np.array([0, 2, 1], np.uint8),
        names=("ok", "missing", "bad"),
        rows=np.array([3, 5, 8]),
    )
    (rejected,) = cells.find_rejected("sex", unremarkable={"ok", "missing"})

    assert (rejected.code, rejected.rows.tolist()) == ("bad", [5])
    assert rejected.rows.dtype == np.uint32


def test_a_tally_adds_batches():
    tally = TableTally()
    for _ in range(2):
        tally.add(
            rows_in=5,
            rows_out=4,
            removed={"opt_out": 1},
            counts={"sex": {"missing": 1, "ok": 3}},
        )

    assert (tally.rows_in, tally.rows_out, tally.removed) == (10, 8, {"opt_out": 2})
    assert tally.counts == {"sex": {"missing": 2, "ok": 6}}
