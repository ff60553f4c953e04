"""What every redactor does: answers in order, withholds with a code, shows nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from nlp_redaction.document.spans import Label
from nlp_redaction.errors import ModelMissing, Refusal, WorkersUnavailable
from nlp_redaction.models import load
from nlp_redaction.replacement import Redacted
from nlp_redaction.settings import Settings
from pseudo_service.adapters.text_redactor import (
    NlpRedactor,
    WithholdingRedactor,
    open_text_redactor,
)
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.core.redaction import (
    KnownKind,
    Replacement,
    TextCode,
    TextDates,
    TextMode,
    TextRow,
    TextStyle,
)
from pseudo_service.ports.telemetry import Level, NullTelemetry, Telemetry
from pseudo_service.ports.text_redactor import TextRedactor
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.values.cohort import make_numbers

FAST = TextStyle(mode=TextMode.FAST)
CANARY = "Quillfeather"
ROWS = [TextRow(text=f"{CANARY} {place}") for place in range(3)]
KEY = b"k" * 32


class FakePool:
    """Answers as the worker pool does, and keeps what it was asked."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        self.refusal = refusal
        self.asked: list[tuple[Any, Any]] = []
        self.style: Any = None
        self.closed = False

    def redact_all(self, items: Sequence[tuple[object, Any]], style: Any) -> list[Any]:
        self.asked += items
        self.style = style
        if self.refusal is not None:
            return [Redacted(refusal=self.refusal) for _ in items]
        return [
            Redacted(text=f"[NAME] {place}", counts={Label.NAME: 1})
            for place, _ in enumerate(items)
        ]

    def close(self) -> None:
        self.closed = True


def make_nlp(
    pool: FakePool | None = None, telemetry: Telemetry | None = None
) -> NlpRedactor:
    return NlpRedactor(
        modes={TextMode.FAST: "a digest"},
        settings=Settings(),
        open_pool=lambda: pool or FakePool(),
        telemetry=telemetry or NullTelemetry(),
    )


@pytest.fixture(
    params=[WithholdingRedactor, make_nlp], ids=["withholding", "fake workers"]
)
def redactor(request: pytest.FixtureRequest) -> TextRedactor:
    make: Callable[[], TextRedactor] = request.param
    return make()


def test_each_text_has_its_answer_in_order(redactor: TextRedactor) -> None:
    answers = redactor.redact(ROWS, FAST)
    assert len(answers) == len(ROWS)
    for place, answer in enumerate(answers):
        assert (answer.text is None) == (answer.code is not TextCode.OK)
        assert answer.text is None or answer.text.endswith(str(place))
        assert CANARY not in (answer.text or "")


def test_no_texts_no_answers(redactor: TextRedactor) -> None:
    assert list(redactor.redact([], FAST)) == []


def test_once_closed_it_withholds(redactor: TextRedactor) -> None:
    redactor.close()
    redactor.close()
    answers = redactor.redact(ROWS, FAST)
    assert {(each.text, each.code) for each in answers} == {(None, TextCode.WITHHELD)}


def test_what_decides_the_answers_is_said_in_names_and_versions(
    redactor: TextRedactor,
) -> None:
    assert "text_redaction" in redactor.describe()
    assert all(isinstance(value, str) for value in redactor.describe().values())


def test_a_mode_that_is_not_served_is_withheld_without_a_pool() -> None:
    pool = FakePool()
    answers = make_nlp(pool).redact(ROWS, TextStyle(mode=TextMode.THOROUGH))
    assert {each.code for each in answers} == {TextCode.WITHHELD}
    assert pool.asked == []


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_its_code(refusal: Refusal) -> None:
    (answer,) = make_nlp(FakePool(refusal)).redact(ROWS[:1], FAST)
    assert (answer.text, answer.code.value) == (None, refusal.value)


class DeadPool(FakePool):
    """Cannot start a worker."""

    def redact_all(self, items: Sequence[tuple[object, Any]], style: Any) -> list[Any]:
        del items, style
        message = "A worker process cannot be started; check the limits."
        raise WorkersUnavailable(message)


def test_without_workers_every_text_is_withheld_and_the_log_says_why() -> None:
    telemetry = RecordingTelemetry()
    answers = make_nlp(DeadPool(), telemetry).redact(ROWS, FAST)
    assert [(each.text, each.code) for each in answers] == [
        (None, TextCode.WORKER_DIED)
    ] * 3
    (line,) = telemetry.lines
    assert line["event"] == "text_workers_unavailable"
    assert line["level"] is Level.ERROR
    assert (line["kind"], line["exception_type"]) == ("fast", "WorkersUnavailable")
    assert "cannot be started" in str(line["reason"])


@pytest.mark.parametrize("refusal", list(Refusal))
def test_what_an_operator_must_look_into_is_logged_with_its_number(
    refusal: Refusal,
) -> None:
    telemetry = RecordingTelemetry()
    make_nlp(FakePool(refusal), telemetry).redact(ROWS, FAST)
    if refusal in {Refusal.WORKER_DIED, Refusal.TIMED_OUT, Refusal.FAILED}:
        (line,) = telemetry.lines
        assert line["event"] == "texts_withheld"
        assert (line["code"], line["count"]) == (refusal.value, 3)
    else:
        assert telemetry.lines == []


def test_a_row_arrives_whole() -> None:
    pool = FakePool()
    known = {kind: (f"value of {kind}",) for kind in KnownKind}
    row = TextRow(
        text="t", known=known, shift_days=-7, pseudonyms={"1": "P"}, surrogate_key=KEY
    )
    style = TextStyle(
        mode=TextMode.FAST, replacement=Replacement.SURROGATES, dates=TextDates.SHIFT
    )
    (answer,) = make_nlp(pool).redact([row], style)

    ((text, context),) = pool.asked
    assert text == "t"
    assert {kind: getattr(context.known, kind) for kind in KnownKind} == known
    assert (context.shift_days, context.surrogate_key) == (-7, KEY)
    assert context.pseudonyms == {"1": "P"}
    told = (pool.style.mode, pool.style.replacement, pool.style.dates)
    assert told == ("fast", "surrogates", "shift")
    assert answer.found == {"NAME": 1}


def test_the_pool_opens_with_the_first_text_and_is_closed() -> None:
    opened: list[FakePool] = []

    def open_pool() -> FakePool:
        opened.append(FakePool())
        return opened[-1]

    redactor = NlpRedactor(
        modes={TextMode.FAST: "a digest"},
        settings=Settings(),
        open_pool=open_pool,
        telemetry=NullTelemetry(),
    )
    assert opened == []
    redactor.redact(ROWS, FAST)
    redactor.redact(ROWS, FAST)
    assert len(opened) == 1
    redactor.close()
    assert opened[0].closed


def test_without_modes_nothing_redacts() -> None:
    redactor = open_text_redactor(
        modes=[], processes=1, settings_file=None, telemetry=NullTelemetry()
    )
    assert isinstance(redactor, WithholdingRedactor)


def test_a_model_that_is_not_there_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(folder: object) -> None:
        message = "not there"
        raise ModelMissing(message)

    monkeypatch.setattr(load, "read_thresholds", refuse)
    with pytest.raises(ConfigurationInvalid, match=r"text\.modes: the model of fast"):
        open_text_redactor(
            modes={TextMode.FAST: "a digest"},
            processes=1,
            settings_file=None,
            telemetry=NullTelemetry(),
        )


def test_settings_that_cannot_be_followed_stop_the_start(tmp_path: Any) -> None:
    settings = tmp_path / "text.toml"
    settings.write_text("unknown = 1")
    with pytest.raises(ConfigurationInvalid, match=r"text\.settings_file"):
        open_text_redactor(
            modes={TextMode.FAST: "a digest"},
            processes=1,
            settings_file=settings,
            telemetry=NullTelemetry(),
        )


NUMBER = make_numbers(64_100, 1)[0]
PSEUDONYM = "7437-N10A5M1YW19TDGS68K2JXP19WBGPR"
LETTER = TextRow(
    text=(
        f"Re: {CANARY} Okonkwo, NHS No {NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}. Seen by "
        "Dr Hargreaves on 14/03/2024; review 11/04/2024. Parkinson's disease, BP 120/80."
    ),
    known={KnownKind.NAMES: (CANARY, "Okonkwo")},
    shift_days=-7,
    pseudonyms={NUMBER: PSEUDONYM},
    surrogate_key=KEY,
)


@pytest.mark.parametrize("replacement", list(Replacement))
def test_real_workers_take_out_who_it_was_and_leave_the_medicine(
    thorough_redactor: TextRedactor, replacement: Replacement
) -> None:
    style = TextStyle(
        mode=TextMode.THOROUGH, replacement=replacement, dates=TextDates.SHIFT
    )
    (answer,) = thorough_redactor.redact([LETTER], style)
    assert answer.code is TextCode.OK
    text = answer.text or ""
    for gone in (CANARY, "Okonkwo", NUMBER[6:], "Hargreaves", "14/03/2024"):
        assert gone not in text
    for kept in (PSEUDONYM, "07/03/2024", "04/04/2024", "Parkinson's", "120/80"):
        assert kept in text
    assert answer.found["NAME"] >= 2
    assert (answer.found["DATE"], answer.found["NHS_NUMBER"]) == (2, 1)


def test_real_workers_answer_in_order_and_withhold_what_is_too_long(
    thorough_redactor: TextRedactor,
) -> None:
    long = "x" * (Settings().longest_text + 1)
    texts = [f"Wheeze {place} today." for place in range(40)]
    rows = [TextRow(text=text) for text in (*texts[:20], long, "\ud800", *texts[20:])]
    answers = thorough_redactor.redact(rows, TextStyle(mode=TextMode.THOROUGH))
    codes = [answer.code for answer in answers]
    assert codes[20:22] == [TextCode.TOO_LONG, TextCode.BROKEN_ENCODING]
    assert [answers[20].text, answers[21].text] == [None, None]
    assert [each.text for each in (*answers[:20], *answers[22:])] == texts


def test_the_pins_name_the_model_and_the_settings() -> None:
    """A stream that is resumed under another model has to start anew."""
    one, other = (
        NlpRedactor(
            modes={TextMode.FAST: digest},
            settings=Settings(),
            open_pool=FakePool,
            telemetry=NullTelemetry(),
        ).describe()
        for digest in ("aa", "bb")
    )
    assert one["text_redaction"] == "fast:aa"
    assert one != other
