"""Hospitals and firms by their short names: what stands alone, hints, and traps."""

import pytest

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.places.employer import EmployerName
from nlp_redaction.recognisers.places.institution import InstitutionName

RECOGNISERS: list[Recogniser] = [InstitutionName(), EmployerName()]


def find(text: str, *, sure: bool) -> set[str]:
    """Return what stands alone, or everything that is not that."""
    document = Document.read(text)
    return {
        text[span.start : span.end]
        for rule in RECOGNISERS
        for span in rule.find(document)
        if (span.score >= STANDS_ALONE) == sure
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tx from derriford to treliske", {"derriford", "treliske"}),
        ("was in addenbrooke's, now home", {"addenbrooke's"}),
        ("rang the christie re chemo", {"christie"}),
        ("RD&E letter received", {"RD&E"}),
        ("seen at QMC, then HRI ED", {"QMC", "HRI"}),
        ("works at Next since May", {"Next"}),
        ("counselling via Relate", {"Relate"}),
        ("job at tescos, was in nandos", {"tescos", "nandos"}),
        ("drives for zeneks cabs", {"zeneks cabs"}),
        ("Kelby Society for the Blind rang", {"Kelby Society for the Blind"}),
        ("the cyngor Gwynedd form", {"cyngor Gwynedd"}),
    ],
)
def test_short_name_stands_alone(text: str, names: set[str]) -> None:
    assert find(text, sure=True) == names


@pytest.mark.parametrize(
    ("text", "name"), [("echo done HRI 2019", "HRI"), ("Says Mind rang him", "Mind")]
)
def test_doubtful_name_is_hinted_at(text: str, name: str) -> None:
    assert name in find(text, sure=False)
    assert not find(text, sure=True)


@pytest.mark.parametrize(
    "text",
    [
        "next seen in may, boots on, mind you",
        "Next review in clinic. Relate to diet.",
        "fluid in Morrison's pouch",
        "Addenbrooke's cognitive examination 82/100",
        "avoid greasy foods",
        "Direct line given to the crisis team",
        "hri and jr in small letters",
        "referred to CQC, DVLA and the NHS",
    ],
)
def test_trap_is_left_alone(text: str) -> None:
    assert not find(text, sure=True)
