"""What a receipt says of a table, and that its pins say all that it depends on."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT, PinSet, build_receipt

PINS = PinSet(
    key_version=3,
    key_check_value=b"\x01" * 16,
    policy="asthma/visits@1",
    policy_digest=b"\x02" * 32,
    opt_out_list="0a1b",
    opt_out_digest=b"\x03" * 32,
    date_parameters_digest=b"\x04" * 32,
    alias_table="0c1d:0e",
    library_versions={"pyarrow": "1"},
    patient_table_digest=b"\x05" * 32,
    previous_key_version=2,
)
OTHERS: dict[type, Any] = {int: 9, bytes: b"\x09", str: "9", dict: {"pyarrow": "9"}}
COUNTS: dict[str, dict[str, int]] = {"nhs": {"valid": 2, "missing": 1}}
FACTS: dict[str, Any] = {
    "project": "asthma",
    "operation": "operation-1",
    "part": 4,
    "purpose": "a study of asthma",
    "issued_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    "pins": PINS,
    "rows_in": 3,
    "rows_out": 2,
    "removed": {"opt_out": 1},
    "columns": COUNTS,
    "treatments": {"nhs": {"treatment": "pseudonymise"}},
    "batches": 1,
    "input_digest": b"\x06" * 32,
    "actor": "loader",
}


def digest(*values: int) -> LogicalDigest:
    batch = pa.record_batch({"n": pa.array(values, pa.int64())})
    output = LogicalDigest(batch.schema)
    output.update(batch)
    return output


def build(**changes: Any) -> dict[str, Any]:
    facts = {**FACTS, "output": digest(1, 2), **changes}
    stated: dict[str, Any] = json.loads(build_receipt(**facts))
    return stated


def test_every_pin_is_stated_under_its_name() -> None:
    described = PINS.describe()
    assert set(described) == {each.name for each in fields(PinSet)}
    assert described["key_check_value"] == "01" * 16
    assert described["patient_table_digest"] == "05" * 32
    json.dumps(described)


@pytest.mark.parametrize("name", [each.name for each in fields(PinSet)])
def test_another_pin_makes_another_description(name: str) -> None:
    other = replace(PINS, **{name: OTHERS[type(getattr(PINS, name))]})
    described, before = other.describe(), PINS.describe()
    assert {key for key in before if before[key] != described[key]} == {name}
    assert other != PINS


def test_a_receipt_states_what_was_done() -> None:
    stated = build()
    output = digest(1, 2)
    assert stated == {
        "format": RECEIPT_FORMAT,
        "project": "asthma",
        "policy": "asthma/visits@1",
        "policy_digest": "02" * 32,
        "operation": "operation-1",
        "part": 4,
        "purpose": "a study of asthma",
        "issued_at": "2026-03-02T09:00:00+00:00",
        "pins": PINS.describe(),
        "rows_in": 3,
        "rows_out": 2,
        "removed": {"opt_out": 1},
        "columns": COUNTS,
        "treatments": {"nhs": {"treatment": "pseudonymise"}},
        "batches": 1,
        "input_digest": "06" * 32,
        "output_digest": output.digest().hex(),
        "output_columns": output.columns(),
        "actor": "loader",
    }


def test_the_same_facts_make_the_same_bytes_in_whatever_order_they_were_counted() -> (
    None
):
    turned = {"nhs": dict(reversed(COUNTS["nhs"].items()))}
    first = build_receipt(**FACTS, output=digest(1, 2))
    again = build_receipt(**{**FACTS, "columns": turned}, output=digest(1, 2))
    assert first == again


def test_another_answer_makes_another_digest() -> None:
    assert build()["output_digest"] != build(output=digest(2, 1))["output_digest"]


def test_a_table_without_rows_has_a_receipt() -> None:
    stated = build(rows_in=0, rows_out=0, removed={}, columns={}, output=digest())
    assert (stated["rows_in"], stated["rows_out"], stated["removed"]) == (0, 0, {})
    assert stated["columns"] == {}
