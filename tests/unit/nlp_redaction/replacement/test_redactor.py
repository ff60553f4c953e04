"""Replacement writes what the style says and leaves all else as it was."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.errors import Refusal
from nlp_redaction.replacement import Redacted, Redactor, RowContext, Style
from nlp_redaction.replacement.batches import answer_in_order
from nlp_redaction.replacement.masks import mask
from tests.lib.harnesses.marked_finder import (
    FAIL,
    MarkedFinder,
    make_marked_finder,
    mark,
)

KEY = bytes(range(32))
REDACTOR = Redactor(finder_factory=make_marked_finder)
TAGS = Style()
MASKS = Style(replacement="masks")
SURROGATES = Style(replacement="surrogates")
WITH_KEY = RowContext(surrogate_key=KEY)
PSEUDONYM = "TESTN1-ABCDEF"
OWN = RowContext(pseudonyms={"999 123 4560": PSEUDONYM, "RXH123456": "TESTM1-XYZ"})


def redact(text: str, style: Style = TAGS, context: RowContext = WITH_KEY) -> str:
    """Redact one text and take the marks away."""
    (answer,) = REDACTOR.redact_all([(text, context)], style)
    assert answer.refusal is None
    assert answer.text is not None
    return re.sub("«\\w+:([^»]*)»", r"\1", answer.text)


def name(written: str) -> str:
    return mark(Label.NAME, written)


@pytest.mark.parametrize("label", list(Label))
def test_tags_name_the_kind(label: Label) -> None:
    assert redact(f"seen {mark(label, 'Qzxwv 4719')} today") == f"seen [{label}] today"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("Comfort O'Neil-Tan", "XXXXXXX X'XXXX-XXX"),
        ("999 123 4560", "000 000 0000"),
        ("a.b72@mail.test", "X.X00@XXXX.XXXX"),
        ("Siobha\u0301n\r\n李", "XXXXXXXX\r\nX"),
        ("\U0001d49c\u00b2", "X0"),
    ],
)
def test_masks_keep_the_layout(written: str, masked: str) -> None:
    assert mask(written) == masked
    assert redact(name(written), MASKS) == masked


@given(st.text())
def test_masks_keep_the_length_and_no_sign_that_tells(written: str) -> None:
    masked = mask(written)
    assert len(masked) == len(written)
    assert all(a in {"X", "0"} or not a.isalnum() for a in masked)


def test_a_mask_that_hides_nothing_becomes_a_tag() -> None:
    assert redact(name("XXXX"), MASKS) == "[NAME]"


def test_surrogates_need_a_key_else_there_are_tags() -> None:
    assert redact(name("Agyemang"), SURROGATES, RowContext()) == "[NAME]"


def test_surrogates_agree_within_a_patient_and_differ_between() -> None:
    first = redact(f"{name('Agyemang')} came", SURROGATES)
    assert redact(f"{name('Agyemang')} left", SURROGATES).split()[0] == first.split()[0]
    other = RowContext(surrogate_key=bytes(32))
    assert redact(f"{name('Agyemang')} came", SURROGATES, other) != first


@pytest.mark.parametrize("replacement", ["tags", "masks", "surrogates"])
@pytest.mark.parametrize(
    "written",
    [
        "999 123 4560",
        "9991234560",
        "999-123-4560",
        "999\u00a0123\u00a04560",
        "999 123 4561",
        "999 132 4560",
    ],
)
def test_the_patients_number_becomes_the_pseudonym(
    written: str, replacement: str
) -> None:
    style = Style(replacement=replacement)  # type: ignore[arg-type]
    assert redact(mark(Label.NHS_NUMBER, written), style, OWN) == PSEUDONYM


@pytest.mark.parametrize(
    "written", ["999 123 4579", "999 765 4321", "9992 123 4560 77"]
)
def test_another_number_is_not_the_patients(written: str) -> None:
    # The first differs by typing errors only, but passes its own check.
    assert PSEUDONYM not in redact(mark(Label.NHS_NUMBER, written), TAGS, OWN)


def test_a_neighbouring_hospital_number_is_not_the_patients() -> None:
    assert redact(mark(Label.ID, "RXH 123456"), TAGS, OWN) == "TESTM1-XYZ"
    assert redact(mark(Label.ID, "RXH123457"), TAGS, OWN) == "[ID]"


DATE = mark(Label.DATE, "1 April 2021")


@pytest.mark.parametrize(
    ("dates", "days", "expected"),
    [
        ("redact", 3, "[DATE]"),
        ("keep", 3, "1 April 2021"),
        ("shift", 3, "4 April 2021"),
        ("shift", None, "[DATE]"),
        ("shift", 0, "[DATE]"),
    ],
)
def test_dates_follow_the_style(dates: str, days: int | None, expected: str) -> None:
    for replacement in ("tags", "surrogates"):
        style = Style(replacement=replacement, dates=dates)  # type: ignore[arg-type]
        context = RowContext(surrogate_key=KEY, shift_days=days)
        assert redact(DATE, style, context) == expected


@pytest.mark.parametrize("written", ["some day or other", "31.31.3131"])
def test_a_date_that_cannot_be_read_becomes_a_tag(written: str) -> None:
    style = Style(dates="shift")
    context = RowContext(shift_days=3)
    assert redact(mark(Label.DATE, written), style, context) == "[DATE]"


def test_a_kept_date_keeps_nothing_but_a_date() -> None:
    kept = Style(dates="keep")
    assert redact(mark(Label.DATE, "April Qureshi 2021"), kept) == "[DATE]"
    assert redact(mark(Label.DATE, "Tues 14th Dec '21"), kept) == "Tues 14th Dec '21"


def test_what_lies_between_stays_as_it_was() -> None:
    text = "\ufeffZoe\u0308\r\n\t{}\u2028 \u202e5\u00b5g\x00 {}\r"
    written = text.format(name("Comfort"), name("Qureshi"))
    assert redact(written) == text.format("[NAME]", "[NAME]")


def test_what_was_found_once_is_found_everywhere() -> None:
    text = (
        f"Seen by {name('Amara Qureshi')}. QURESHI and Amara came; amara qureshi too."
    )
    assert redact(text) == "Seen by [NAME]. [NAME] and [NAME] came; [NAME] too."


def test_known_identifiers_are_looked_for_at_the_end() -> None:
    known = KnownIdentifiers(
        names=("Amara Qureshi",), numbers=("RXH123456",), phones=("07700 900123",)
    )
    text = "amara and QURESHI, rxh123456, ring 07700 900123"
    expected = "[NAME] and [NAME], [ID], ring [PHONE]"
    assert redact(text, TAGS, RowContext(known=known)) == expected


def test_ordinary_words_and_eponyms_are_left() -> None:
    text = (
        f"{name('Hope')} hopes; {name('Parkinson')} has no hope of Parkinson's disease"
    )
    expected = "[NAME] hopes; [NAME] has no hope of Parkinson's disease"
    assert redact(text) == expected


def test_a_surrogate_that_is_anothers_name_becomes_a_tag() -> None:
    chosen = redact(name("Qureshi"), SURROGATES)
    answer = redact(f"{name('Qureshi')} met {name(chosen)}", SURROGATES)
    assert chosen not in answer
    assert answer.startswith("[NAME] met ")


def test_counts_tell_how_many_of_each_kind() -> None:
    text = f"{name('Amara Qureshi')} {mark(Label.PHONE, '07700 900123')} Qureshi {DATE}"
    (answer,) = REDACTOR.redact_all([(text, WITH_KEY)], Style(dates="keep"))
    assert answer.counts == {Label.NAME: 2, Label.PHONE: 1}


LETTERS = st.text("abcdefghijklmnopqrstuvwxyzéüĄ", min_size=5, max_size=12)
FOUND = st.tuples(st.sampled_from(sorted(set(Label) - {Label.DATE})), LETTERS)


@given(
    st.lists(FOUND, max_size=5),
    st.sampled_from([TAGS, MASKS, SURROGATES]),
    st.text(max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_nothing_found_is_in_the_answer(
    found: list[tuple[Label, str]], style: Style, between: str
) -> None:
    between = between.replace("«", "").replace("»", "")
    text = between.join(["", *(mark(label, f"zq{word}") for label, word in found), ""])
    (answer,) = REDACTOR.redact_all([(text, WITH_KEY)], style)
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        return
    assert answer.text is not None
    assert all(f"zq{word}" not in answer.text for _, word in found)
    assert sum(answer.counts.values()) >= len(found)


class CountingFinder(MarkedFinder):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def _find(self, text: str):  # type: ignore[no-untyped-def]
        self.texts.append(text)
        return super()._find(text)


def test_repeats_are_searched_once_and_order_is_kept() -> None:
    finder = CountingFinder()
    redactor = Redactor(finder_factory=lambda *_: finder)
    texts = [f"{name('Qureshi')} note {number % 7}" for number in range(100)]
    other = RowContext(shift_days=1)
    items = [(text, WITH_KEY) for text in texts] + [(texts[0], other)]
    answers = redactor.redact_all(items, TAGS)
    assert len(finder.texts) == 8
    assert [a.text for a in answers] == [
        text.replace("Qureshi", "[NAME]") for text, _ in items
    ]


def test_a_mode_is_loaded_once() -> None:
    loaded: list[str] = []

    def load(mode: str, _: object) -> MarkedFinder:
        loaded.append(mode)
        return MarkedFinder()

    redactor = Redactor(finder_factory=load)
    for mode in ("fast", "thorough", "fast"):
        redactor.redact_all([("a", RowContext())], Style(mode=mode))
    assert loaded == ["fast", "thorough"]


def test_nothing_shows_in_representations() -> None:
    context = RowContext(
        known=KnownIdentifiers(names=("Qureshi",)), surrogate_key=KEY, shift_days=7
    )
    assert repr(context) == "RowContext(...)"
    assert "Qureshi" not in repr(Redacted(text="Qureshi"))


def test_a_key_of_the_wrong_length_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValueError, match="32 bytes") as caught:
        RowContext(surrogate_key=b"short-key")
    assert "short-key" not in str(caught.value)


def test_an_unanswered_text_is_withheld() -> None:
    with pytest.raises(ValueError, match="zip"):
        answer_in_order([("a", WITH_KEY)], 10, lambda _: [])
    answers = REDACTOR.redact_all([("a", WITH_KEY), (FAIL, WITH_KEY)], TAGS)
    assert [answer.refusal for answer in answers] == [None, Refusal.FAILED]
