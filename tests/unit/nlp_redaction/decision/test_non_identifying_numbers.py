"""What has the form of a figure is never taken by the model alone."""

import pytest

from nlp_redaction.decision.non_identifying_numbers import find_figures
from nlp_redaction.document.text import Document


def figures(text):
    return [text[start:end].strip() for start, end in find_figures(Document.read(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("discharge 3/7, LSI 10/7 ago", ["3/7", "10/7"]),
        ("back in 3-4/52", ["3-4/52"]),
        ("opened 23:51:07]", ["23:51:07"]),
        ("75 mg and 12 yrs", ["75 mg", "12 yrs"]),
        ("Barthel 9/20. GCS 14", ["Barthel 9/20", "GCS 14"]),
        ("SNOMED T04030 M85003.", ["SNOMED T04030 M85003"]),
        ("the A69 near the river", ["A69"]),
        ("in her late 60s in", ["late 60s"]),
        ("seen 23/1 and 11.11.22", []),
        ("ref 4471/12/7", []),
        ("NHS 999 911 6426", []),
        ("no figures", []),
    ],
)
def test_forms(text, expected):
    assert figures(text) == expected
