"""A redactor that fails, or answers nonsense, lets no text out."""

from collections.abc import Sequence

import pytest

from pseudo_service.core.redaction import (
    NOTHING_KNOWN,
    TextAnswer,
    TextCode,
    TextRow,
    TextStyle,
    redact_fail_closed,
    withhold_texts,
)

ROWS = [TextRow(text="seen by Dr Ash"), TextRow(text="well")]
STYLE = TextStyle()
FAILED = TextAnswer(text=None, code=TextCode.FAILED)
GOOD = TextAnswer(text="seen by [NAME]", code=TextCode.OK, found={"NAME": 1})


def answer_with(*answers: object) -> Sequence[TextAnswer]:
    return redact_fail_closed(lambda _rows, _style: answers, ROWS, STYLE)  # type: ignore[arg-type,return-value]


def test_sound_answers_are_passed_on() -> None:
    withheld = TextAnswer(text=None, code=TextCode.TIMED_OUT)
    assert answer_with(GOOD, withheld) == [GOOD, withheld]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_answers_withholds_all(count: int) -> None:
    assert answer_with(*[GOOD] * count) == [FAILED, FAILED]


@pytest.mark.parametrize(
    "unsound",
    [
        TextAnswer(text=None, code=TextCode.OK),
        TextAnswer(text="seen by Dr Ash", code=TextCode.FAILED),
        TextAnswer(text="seen by Dr Ash", code=TextCode.WITHHELD),
        TextAnswer(text=None, code=TextCode.MISSING),
        TextAnswer(text=b"seen", code=TextCode.OK),  # type: ignore[arg-type]
        TextAnswer(text="broken \ud800", code=TextCode.OK),
    ],
)
def test_an_unsound_answer_is_withheld_and_the_others_stay(unsound: TextAnswer) -> None:
    assert answer_with(unsound, GOOD) == [FAILED, GOOD]


@pytest.mark.parametrize("error", [ValueError("Dr Ash"), MemoryError(), OSError()])
def test_an_error_withholds_all_and_says_nothing(error: Exception) -> None:
    def fail(_rows: Sequence[TextRow], _style: TextStyle) -> Sequence[TextAnswer]:
        raise error

    assert redact_fail_closed(fail, ROWS, STYLE) == [FAILED, FAILED]


def test_an_error_on_the_way_withholds_all() -> None:
    def fail_late(_rows: Sequence[TextRow], _style: TextStyle) -> Sequence[TextAnswer]:
        def answer() -> object:
            yield GOOD
            raise ValueError

        return answer()  # type: ignore[return-value]

    assert redact_fail_closed(fail_late, ROWS, STYLE) == [FAILED, FAILED]


def test_something_else_than_an_answer_withholds_all() -> None:
    assert answer_with("a text", GOOD) == [FAILED, FAILED]


def test_without_a_redactor_every_text_is_withheld() -> None:
    withheld = withhold_texts(ROWS)
    assert [answer.code for answer in withheld] == [TextCode.WITHHELD] * 2
    assert all(answer.text is None for answer in withheld)


def test_no_repr_shows_a_text_or_what_is_known() -> None:
    row = TextRow(
        text="Dr Ash", shift_days=-7, pseudonyms={"a": "b"}, surrogate_key=b"k" * 32
    )
    assert repr(row) == "TextRow()"
    assert "Ash" not in repr(TextAnswer(text="Dr Ash", code=TextCode.OK))
    assert TextRow(text="").known is NOTHING_KNOWN
