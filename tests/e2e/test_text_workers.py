"""Real worker processes behind the service: what they redact, and when they die."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from nlp_redaction.document.spans import Label
from tests.lib.harnesses.marked_finder import DIE, mark
from tests.lib.harnesses.text_pools import LentRedactor, open_marked_redactor
from tests.lib.services.service import OpenService, RunningService
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.values.cohort import PURPOSE, make_numbers

NUMBERS = make_numbers(64_200, 700)
POLICY = """
policy: asthma/letters@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  surname: {treatment: drop}
  written: {treatment: shift_date}
  letter:
    treatment: redact_text
    known: {names: [surname]}
    replacement: surrogates
    dates: shift
"""


@pytest.fixture
def telemetry() -> RecordingTelemetry:
    return RecordingTelemetry()


@pytest.fixture
def mortal(
    open_service: OpenService, telemetry: RecordingTelemetry
) -> Iterator[RunningService]:
    """A service whose workers die of a word."""
    redactor = open_marked_redactor(telemetry)
    service = open_service(overrides={"redactor": redactor})
    service.custodian().register_policy(POLICY)
    yield service
    redactor.close()


def redact(service: RunningService, letters: list[str | None]) -> tuple[pa.Table, dict]:
    """Return the answer, and what was counted of the texts."""
    numbers = NUMBERS[: len(letters)]
    table = pa.table(
        {
            "nhs_number": numbers,
            "surname": ["Quillfeather"] * len(letters),
            "written": ["2024-03-14"] * len(letters),
            "letter": pa.array(letters, pa.string()),
        }
    )
    answer = service.pipeline().deidentify(
        table, project="asthma", policy="letters@1", purpose=PURPOSE
    )
    return answer.read_all(), dict(answer.quality["letter"])


def test_a_text_that_kills_its_worker_is_withheld_alone_and_the_stream_goes_on(
    mortal: RunningService, telemetry: RecordingTelemetry
) -> None:
    letters: list[str | None] = [f"{mark(Label.NAME, 'Okonkwo')} came"] * len(NUMBERS)
    letters[3], letters[5] = f"{DIE} Okonkwo", None
    released, counted = redact(mortal, letters)

    texts = released["letter"].to_pylist()
    assert counted == {"ok": len(NUMBERS) - 2, "worker_died": 1, "missing": 1}
    assert (texts[3], texts[5]) == (None, None)
    others = [text for place, text in enumerate(texts) if place not in {3, 5}]
    assert all(text.endswith("» came") and "Okonkwo" not in text for text in others)
    withheld = [line for line in telemetry.lines if line["event"] == "texts_withheld"]
    assert [(line["code"], line["count"]) for line in withheld] == [("worker_died", 1)]


def test_the_model_itself_redacts_a_table_over_the_wire(
    open_service: OpenService, thorough_redactor: LentRedactor
) -> None:
    service = open_service(overrides={"redactor": thorough_redactor})
    service.custodian().register_policy(POLICY)
    letter = (
        "Dear Dr Hargreaves, re Mrs Quillfeather (NHS No {}). Seen on 14/03/2024 with "
        "Crohn's disease; her husband Babatunde rang 01632 960118."
    )
    released, counted = redact(service, [letter.format(n) for n in NUMBERS[:3]])

    assert counted == {"ok": 3}
    for row in released.to_pylist():
        text, day = row["letter"], row["written"]
        for gone in ("Hargreaves", "Quillfeather", "Babatunde", "960118", *NUMBERS):
            assert gone not in text
        assert row["patient"] in text
        assert f"{day[8:10]}/{day[5:7]}/{day[:4]}" in text
        assert "Crohn's disease" in text
