"""What cannot be sent as a text is told by its position, not by an encoder's error."""

import pytest

from pseudo_client import Client, KnownIdentifiers, SourceUnusable, Text

HALF = "Ada \ud83d Lovelace"
FINE = Text(text="well \U0001f600")


@pytest.mark.parametrize(
    "broken",
    [
        Text(text=HALF),
        Text(text="well", patient=HALF),
        Text(text="well", known=KnownIdentifiers(names=("Ada", HALF))),
    ],
    ids=["text", "patient", "known"],
)
def test_half_a_surrogate_pair_is_refused_by_position(broken):
    client = Client("localhost:1", token="none", root_certificates=b"")
    with pytest.raises(SourceUnusable, match="text 7:") as caught:
        client.redact_text(
            [*[FINE] * 7, broken],
            project="asthma",
            policy="notes@1",
            column="note",
            purpose="evaluation",
        )
    assert "Ada" not in str(caught.value)
    assert caught.value.__context__ is None


def test_whole_characters_are_sent():
    assert FINE.is_encodable()
    assert FINE.to_message().text == "well \U0001f600"
