"""The text form of checkpoints is strict both ways."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.audit.events import (
    ChainHead,
    decode_checkpoint,
    decode_heads,
    encode_checkpoint,
    encode_heads,
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
