"""Sends hostile Arrow messages down the path of a table, in a process of its own.

``python -m tests.fuzz.arrow_messages --messages 20000`` makes each message of its seed
and its number alone: batches of every kind of type, of which the metadata, the offsets,
the views, the validity or any bytes are then changed. Whatever is answered must be an
answer or a refusal with a code. Run it with the allocator's checks on, as
``tests/fuzz/test_arrow_messages.py`` does: a write outside of a buffer then ends it.
"""

import argparse
import json
import os
import random
import struct
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import PseudoError
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.plan import Plan, compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.text_rules import PatientTableRule
from pseudo_service.core.redaction import KnownKind
from pseudo_service.core.tables.batch import deidentify_batch
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.transport.arrow_ipc import (
    ArrowLimits,
    decode_batch,
    decode_schema,
    encode_schema,
)
from tests.fuzz.message_parts import EXTREMES, MessageParts, find_parts, find_rows
from tests.lib.harnesses.deidentification import make_context

CORPUS = Path(__file__).parent / "corpus"
LIMITS = ArrowLimits(rows=1 << 10, columns=16, message_bytes=1 << 20)
TEXTS = ["9990000018", "999 000 0026", "", "2024-02-30", "Seen by Dr Okafor", "x" * 40]
CONTEXT = make_context()

_ANY = ["drop", "keep, reason: fuzzed"]
_CODES = "exclude_rows, codes: ['Z21', '21'], list: fuzzed, then: drop"
_NUMBER = "pseudonymise, kind: nhs_number"
TREATMENTS = {
    "text": [
        *_ANY,
        _CODES,
        _NUMBER,
        "shift_date, formats: ['%Y-%m-%d']",
        "generalise, to: outward_code",
        "redact_text",
    ],
    "number": [*_ANY, _CODES, _NUMBER],
    "moment": [*_ANY, "shift_date", "generalise, to: year"],
    "other": _ANY,
}


@dataclass
class Outcomes:
    """How many messages ended how; what no code was found for, by its message."""

    counts: Counter[str] = field(default_factory=Counter)
    unmapped: dict[str, str] = field(default_factory=dict)


def main() -> None:
    """Send the corpus, then new messages; print the outcomes as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument(
        "--progress", type=Path, help="holds the number of the message that is sent"
    )
    options = parser.parse_args()
    outcomes = Outcomes()
    for path in sorted(CORPUS.glob("*.batch")):
        send_kept(path, outcomes)
    progress = os.open(options.progress or os.devnull, os.O_WRONLY | os.O_CREAT, 0o600)
    for number in range(options.first, options.first + options.messages):
        os.pwrite(progress, f"{number:>12}".encode(), 0)
        send(number, options.seed, outcomes)
    told = {"counts": outcomes.counts, "unmapped": outcomes.unmapped}
    sys.stdout.write(json.dumps(told) + "\n")


def send_kept(path: Path, outcomes: Outcomes) -> None:
    """Send a message that was found to do harm, under each treatment of texts."""
    schema = pa.ipc.read_schema(pa.py_buffer(path.with_suffix(".schema").read_bytes()))
    names = schema.names[1:]
    for treatment in TREATMENTS["text"]:
        lines = [f"  c0: {{treatment: {_NUMBER}}}"]
        lines += [f"  {name}: {{treatment: {treatment}}}" for name in names]
        ended = judge(path.name, outcomes, path.read_bytes(), schema, lines)
        outcomes.counts[ended] += 1


def send(number: int, seed: int, outcomes: Outcomes) -> None:
    """Make one message, send it, and note how it ended."""
    draw = random.Random(f"{seed}-{number}")
    rows = draw.choice([0, 1, 3, 8, 60])
    columns = make_columns(draw, rows)
    batch = pa.record_batch({f"c{i}": each for i, each in enumerate(columns)})
    data = damage(batch.serialize().to_pybytes(), draw)
    lines = [f"  c0: {{treatment: {draw.choice([_NUMBER, 'drop'])}}}"]
    lines += [
        f"  {name}: {{treatment: {draw.choice(TREATMENTS[name_class(kind)])}}}"
        for name, kind in list(
            zip(batch.schema.names, batch.schema.types, strict=True)
        )[1:]
    ]
    ended = judge(str(number), outcomes, data, batch.schema, lines)
    outcomes.counts[ended] += 1


def judge(
    name: str, outcomes: Outcomes, data: bytes, schema: pa.Schema, lines: Sequence[str]
) -> str:
    """Return how a message ended: as its code, or as an answer."""
    try:
        treat(data, decode_schema(encode_schema(schema), LIMITS), tuple(lines))
    except PseudoError as error:
        return error.code.value
    except Exception as error:  # noqa: BLE001 - what has no code is what is looked for
        outcomes.unmapped[name] = f"{type(error).__name__}: {error}"[:300]
        return "unmapped"
    return "answered"


def treat(data: bytes, schema: pa.Schema, lines: tuple[str, ...]) -> None:
    """Take a message the way that a stream takes it, and as a table of patients."""
    plan = make_plan(lines, schema)
    rows = count_rows(data)
    batch = decode_batch(data, schema=schema, row_count=rows, limits=LIMITS)
    outcome = deidentify_batch(plan, batch, CONTEXT)
    LogicalDigest(outcome.batch.schema).update(outcome.batch)
    known = {KnownKind.NAMES: tuple(schema.names[1:])}
    rule = PatientTableRule(
        name="fuzzed",
        column=schema.names[0],
        kind=IdentifierKind.parse("nhs_number"),
        known=known,
    )
    table = PatientTable(
        rule,
        schema,
        hashing=CONTEXT.keys["nhs_number"].blind,
        rules=CONTEXT.identifier_rules,
    )
    table.add(batch)
    table.seal()


@cache
def make_plan(lines: tuple[str, ...], schema: pa.Schema) -> Plan:
    """Return the plan of a policy of these columns; one of them stays."""
    patient = ["patient: {column: c0, kind: nhs_number}"]
    head = ["policy: study-a/data@1", *patient, "columns:"]
    return compile_plan(parse_policy("\n".join([*head, *lines])), schema)


def count_rows(data: bytes) -> int:
    """Return the rows that a message states: an enemy keeps the two alike."""
    try:
        return find_rows(data)
    except (struct.error, TypeError, IndexError, ValueError):
        return 0


def name_class(kind: pa.DataType) -> str:
    """Return which treatments suit a type."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_integer(kind) or pa.types.is_float64(kind):
        return "number"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "moment"
    return "other"


def make_columns(draw: random.Random, rows: int) -> list[pa.Array]:
    """Return columns of some types, of which some cells are null; the patient's first."""

    def cells(values: Sequence[object]) -> list[object]:
        return [
            draw.choice(values) if draw.random() < 0.7 else None for _ in range(rows)
        ]

    texts = cells(TEXTS)
    moment = datetime(2024, 2, 29, 12)  # noqa: DTZ001 - a wall clock
    unit, zone = draw.choice(["s", "ms", "us", "ns"]), draw.choice([None, "UTC"])
    patients = [
        lambda: pa.array(texts, pa.string_view()),
        lambda: pa.array(texts, pa.string()),
        lambda: pa.array(texts, pa.large_string()),
        lambda: pa.array(cells([0, 9990000018, -1, 2**63 - 1]), pa.int64()),
        lambda: pa.array(cells([0.5, 9990000018.0, float("nan"), 1e300]), pa.float64()),
    ]
    others = [
        *patients,
        lambda: pa.array(cells([True, False]), pa.bool_()),
        lambda: pa.array(cells([date(2024, 2, 29), date(1, 1, 1)]), pa.date32()),
        lambda: pa.array(cells([date(2024, 2, 29)]), pa.date64()),
        lambda: pa.array(cells([moment]), pa.timestamp(unit, zone)),
        lambda: pa.array([None] * rows, pa.null()),
        lambda: pa.array(cells([b"", b"x" * 40]), pa.binary()),
    ]
    if draw.random() < 0.1:
        others = [lambda: make_refused_column(draw, texts)]
    more = draw.choice([1, 1, 2, 3])
    return [draw.choice(patients)(), *(draw.choice(others)() for _ in range(more))]


def make_refused_column(draw: random.Random, texts: Sequence[object]) -> pa.Array:
    """Return a column of a type that no policy takes."""
    views = pa.array(texts, pa.string_view())
    plain = pa.array(texts, pa.string())
    return draw.choice(
        [
            lambda: pa.array([t and str(t).encode() for t in texts], pa.binary_view()),
            plain.dictionary_encode,
            lambda: pc.run_end_encode(plain),
            lambda: pa.array([[t] for t in texts], pa.list_(pa.string())),
            lambda: pa.array([[t] for t in texts], pa.list_view(pa.string())),
            lambda: pa.StructArray.from_arrays([views, plain], ["a", "b"]),
            lambda: pa.UnionArray.from_sparse(
                pa.array([0] * len(texts), pa.int8()), [plain, views]
            ),
            lambda: pa.ExtensionArray.from_storage(
                pa.opaque(pa.string_view(), "a", "b"), views
            ),
            lambda: pa.array(
                [[("a", 1)]] * len(texts), pa.map_(pa.string(), pa.int8())
            ),
        ]
    )()


def damage(data: bytes, draw: random.Random) -> bytes:
    """Change a message once or a few times; now and then not at all."""
    changed = bytearray(data)
    parts = find_parts(data)
    for _ in range(draw.choice([0, 1, 1, 2, 3, 8])):
        draw.choice([_damage_body, _damage_body, _damage_metadata, _damage_anything])(
            changed, parts, draw
        )
    if draw.random() < 0.03:
        del changed[draw.randrange(len(changed)) :]
    return bytes(changed)


def _damage_body(changed: bytearray, parts: MessageParts, draw: random.Random) -> None:
    """Write an extreme where a view, an offset, a value or a validity lies."""
    filled = [each for each in parts.buffers if len(each) >= 8]
    if filled:
        place = draw.choice(filled)
        form, size = draw.choice([("<i", 4), ("<i", 4), ("<q", 8)])
        at = place.start + draw.randrange(0, len(place) - size + 1, 4)
        _write(changed, at, form, draw)


def _damage_metadata(
    changed: bytearray, parts: MessageParts, draw: random.Random
) -> None:
    """Write an extreme where a length, a count of nulls or a buffer's place stands."""
    if parts.numbers:
        _write(changed, draw.choice(parts.numbers), "<q", draw)


def _damage_anything(
    changed: bytearray, parts: MessageParts, draw: random.Random
) -> None:
    end = parts.body if draw.random() < 0.8 else len(changed)
    changed[draw.randrange(4, end)] = draw.randrange(256)


def _write(changed: bytearray, at: int, form: str, draw: random.Random) -> None:
    size = struct.calcsize(form)
    if at + size > len(changed):
        return
    (before,) = struct.unpack_from(form, changed, at)
    extreme = draw.choice([*EXTREMES, before + 1, before - 1, -before])
    bits = 8 * size - 1
    struct.pack_into(
        form, changed, at, max(-(1 << bits), min(extreme, (1 << bits) - 1))
    )


if __name__ == "__main__":
    main()
