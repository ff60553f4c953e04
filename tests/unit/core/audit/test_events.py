"""Events, their chains, and the strict text form of checkpoints."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.audit.events import (
    EMPTY_CHAIN,
    AuditEvent,
    AuditKind,
    ChainHead,
    decode_checkpoint,
    decode_heads,
    encode_checkpoint,
    encode_event,
    encode_heads,
    hash_event,
    link,
    start_chain,
)
from pseudo_service.core.errors import AuditBroken
from tests.lib.stores.stored_values import make_checkpoint

heads = st.lists(
    st.builds(
        ChainHead,
        chain=st.text(max_size=20),
        sequence=st.integers(0, 2**62),
        digest=st.binary(min_size=32, max_size=32),
    ),
    max_size=5,
).map(tuple)
HEAD = ChainHead(chain="chain-1", sequence=3, digest=b"\x01" * 32)


@given(heads, st.integers(1, 10**6))
def test_a_checkpoint_comes_back(found: tuple[ChainHead, ...], number: int) -> None:
    checkpoint = make_checkpoint(number, found)
    decoded = decode_checkpoint(encode_checkpoint(checkpoint))
    assert decoded == checkpoint
    assert decoded.digest() == checkpoint.digest()
    assert decode_heads(encode_heads(found)) == found


@given(st.data())
def test_any_other_text_is_refused(data: st.DataObject) -> None:
    text = encode_checkpoint(make_checkpoint(1, (HEAD,)))
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(AuditBroken):
        decode_checkpoint(text[:end])
    for changed in (text[:end] + " " + text[end:], text.replace('"at"', '"att"')):
        if changed != text:
            with pytest.raises(AuditBroken):
                check_unchanged(changed)


def check_unchanged(text: str) -> None:
    """Decode; an edit inside a text value decodes to another checkpoint."""
    if decode_checkpoint(text) != make_checkpoint(1, (HEAD,)):
        raise AuditBroken(text)


@pytest.mark.parametrize(
    "text",
    ["", "[", "null", "1", "[1]", '[["a",1]]', '[["a","1",""]]', '[["a",1,"x"]]'],
)
def test_malformed_heads_are_refused(text: str) -> None:
    with pytest.raises(AuditBroken):
        decode_heads(text)


def test_an_added_field_is_refused() -> None:
    statement = json.loads(encode_checkpoint(make_checkpoint(1)))
    statement["more"] = 1
    with pytest.raises(AuditBroken):
        decode_checkpoint(json.dumps(statement, sort_keys=True, separators=(",", ":")))


EVENT = AuditEvent(
    kind=AuditKind.TABLE_FINISHED,
    at=datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC),
    actor="loader-1",
    project="asthma",
    operation="run-1",
    details={"rows_in": 2, "note": "été", "is_last": True, "none": None},
)


def test_an_event_is_written_canonically() -> None:
    assert encode_event(EVENT) == (
        '{"actor":"loader-1","at":"2026-03-02T09:00:00.250000+00:00",'
        '"details":{"is_last":true,"none":null,"note":"\\u00e9t\\u00e9","rows_in":2},'
        '"kind":"table_finished","operation":"run-1","project":"asthma"}'
    )


def test_a_chain_begins_empty_and_each_event_continues_it() -> None:
    start = start_chain("chain-1")
    assert (start.sequence, start.digest) == (0, EMPTY_CHAIN)
    first = link(start, EVENT)
    assert (first.sequence, first.previous) == (1, EMPTY_CHAIN)
    head = ChainHead(chain="chain-1", sequence=1, digest=first.digest)
    second = link(head, EVENT)
    assert (second.sequence, second.previous) == (2, first.digest)
    assert second.body == first.body
    assert second.digest != first.digest


def test_a_digest_binds_content_place_chain_and_predecessor() -> None:
    usual = ("chain-1", 1, EMPTY_CHAIN, "{}")
    others = [
        ("chain-2", 1, EMPTY_CHAIN, "{}"),
        ("chain-1", 2, EMPTY_CHAIN, "{}"),
        ("chain-1", 1, b"\x01" * 32, "{}"),
        ("chain-1", 1, EMPTY_CHAIN, "{ }"),
    ]
    assert len({hash_event(*each) for each in (usual, *others)}) == 5


def test_the_order_of_heads_does_not_change_what_is_signed() -> None:
    other = ChainHead(chain="chain-0", sequence=9, digest=b"\x02" * 32)
    one = make_checkpoint(1, (HEAD, other))
    two = make_checkpoint(1, (other, HEAD))
    assert one.signed_bytes() == two.signed_bytes()
    assert one.digest() == two.digest() != make_checkpoint(2, (HEAD, other)).digest()
