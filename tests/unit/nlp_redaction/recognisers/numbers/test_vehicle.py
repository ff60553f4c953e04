"""Vehicle registrations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.vehicle import VehicleRecogniser
from tests.lib.values.numbers import check_any_text, find_texts

VEHICLE = VehicleRecogniser()


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("drives a red fiat LB18 NTW", "LB18 NTW"),
        ("LB68NTW parked", "LB68NTW"),
        ("car reg BX19 K, grey", "BX19 K"),
        ("registration P123 ABC", "P123 ABC"),
        ("veh S 417 Mrs", "S 417"),
        ("callsign K217 cad", "K217"),
        ("van reg ABC 123", "ABC 123"),
    ],
)
def test_found(text: str, plate: str) -> None:
    assert find_texts(VEHICLE, text) == [plate]


@pytest.mark.parametrize(
    "text",
    [
        "LB49 NTW",
        "LQ18 NTW",
        "LB18 NIW",
        "P123 ABC",
        "levels L4 S1",
        "car 12/03/2021",
        "in the car 20 min",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(VEHICLE, text) == []


@given(st.text(alphabet="ABXregvh 0123456789.\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(VEHICLE, text)
