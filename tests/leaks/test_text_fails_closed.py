"""Whatever fails, no text is answered as it came: it is withheld, with a code."""

from collections.abc import Iterator
from typing import Final

import pytest

from nlp_redaction.document.spans import Label
from nlp_redaction.errors import Refusal
from nlp_redaction.replacement import Redacted, Redactor, RowContext, Style
from nlp_redaction.search import SearchedText
from nlp_redaction.settings import Settings
from nlp_redaction.workers import WorkerPool
from tests.lib.harnesses.marked_finder import (
    DIE,
    FAIL,
    FORGET,
    NONSENSE,
    REFUSE,
    SLEEP,
    MarkedFinder,
    make_marked_finder,
    mark,
)

SECRET: Final = "Qureshi"
NAME = mark(Label.NAME, SECRET)
CONTEXT = RowContext(surrogate_key=bytes(32))
SETTINGS = Settings(seconds_per_text=2.0)
STYLES = [
    Style(mode="rules", replacement=replacement)  # type: ignore[arg-type]
    for replacement in ("tags", "masks", "surrogates")
]
FAILURES = [
    (FAIL, Refusal.FAILED),
    (FORGET, Refusal.FAILED),
    (NONSENSE, Refusal.FAILED),
    (REFUSE, Refusal.BROKEN_ENCODING),
]


@pytest.fixture(scope="module", params=["here", "workers"])
def redact_all(request: pytest.FixtureRequest) -> Iterator[object]:
    processes = 0 if request.param == "here" else 2
    with WorkerPool(SETTINGS, processes, finder_factory=make_marked_finder) as pool:
        yield pool.redact_all


def surround(texts: list[object]) -> list[tuple[object, RowContext]]:
    good: list[object] = [f"{NAME} is well {number}" for number in range(9)]
    return [(text, CONTEXT) for text in [*good[:5], *texts, *good[5:]]]


def assert_others_are_answered(answers: list[Redacted], failed: int) -> None:
    others = [*answers[:5], *answers[5 + failed :]]
    assert len(others) == 9
    for answer in others:
        assert answer.refusal is None
        assert answer.text is not None
        assert SECRET not in answer.text


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.replacement)
@pytest.mark.parametrize(("command", "refusal"), FAILURES)
def test_the_batch_path_never_returns_its_input(
    redact_all, command: str, refusal: Refusal, style: Style
) -> None:
    items = surround([f"{NAME} {command}"])
    answers = redact_all(items, style)
    assert len(answers) == len(items)
    assert answers[5] == Redacted(refusal=refusal)
    assert_others_are_answered(answers, 1)
    assert all(a.text != text for a, (text, _) in zip(answers, items, strict=True))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Redacted()),
        (float("nan"), Redacted()),
        (7, Redacted(refusal=Refusal.NOT_TEXT)),
        (1.5, Redacted(refusal=Refusal.NOT_TEXT)),
        (SECRET.encode(), Redacted(refusal=Refusal.NOT_TEXT)),
        ([SECRET], Redacted(refusal=Refusal.NOT_TEXT)),
        (f"{NAME} " * 30_000, Redacted(refusal=Refusal.TOO_LONG)),
    ],
    ids=["none", "nan", "int", "float", "bytes", "list", "300,000 characters"],
)
def test_what_is_no_text_is_missing_or_withheld(
    redact_all, value: object, expected: Redacted
) -> None:
    answers = redact_all(surround([value]), STYLES[0])
    assert answers[5] == expected
    assert_others_are_answered(answers, 1)


@pytest.mark.parametrize(
    "text",
    ["\r\n{}\r\n\r", "Zoe\u0308 {} e\u0301\u0327", "\ud83d\ude00 {} \x00\u2028", "{}"],
)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.replacement)
def test_odd_texts_are_redacted_and_otherwise_unchanged(
    redact_all, text: str, style: Style
) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    (answer,) = redact_all([(text.format(NAME), CONTEXT)], style)
    assert answer.text is not None
    assert SECRET not in answer.text
    head, tail = text.split("{}")
    assert answer.text.startswith(head + "«NAME:")
    assert answer.text.endswith("»" + tail)


def test_half_a_surrogate_pair_never_passes(redact_all) -> None:
    (answer,) = redact_all([(f"{NAME} \ud83d", CONTEXT)], STYLES[0])
    assert answer.text is None or SECRET not in answer.text


def test_a_subclass_of_text_cannot_hide_its_content() -> None:
    class Sly(str):  # noqa: SLOT000 - as a library may make one
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 0

    redactor = Redactor(finder_factory=make_marked_finder)
    texts = [Sly(f"{NAME} one"), Sly(f"{NAME} two")]
    answers = redactor.redact_all([(text, CONTEXT) for text in texts], STYLES[0])
    assert [answer.text for answer in answers] == [
        "«NAME:[NAME]» one",
        "«NAME:[NAME]» two",
    ]


def test_only_the_text_that_hangs_or_kills_is_withheld() -> None:
    with WorkerPool(SETTINGS, 2, finder_factory=make_marked_finder) as pool:
        items = surround([f"{NAME} {SLEEP}", f"{NAME} {DIE}"])
        answers = pool.redact_all(items, STYLES[0])
        assert answers[5] == Redacted(refusal=Refusal.TIMED_OUT)
        assert answers[6] == Redacted(refusal=Refusal.WORKER_DIED)
        assert_others_are_answered(answers, 2)


def test_what_the_finder_missed_of_a_found_name_is_withheld_or_replaced() -> None:
    class Forgetful(MarkedFinder):
        def _find(self, text):  # type: ignore[no-untyped-def]
            found = super()._find(text)
            return SearchedText(found.document, found.spans[:1], found.protected)

    redactor = Redactor(finder_factory=lambda *_: Forgetful())
    for style in STYLES:
        text = f"{NAME} and {NAME}, QURESHI's aunt"
        (answer,) = redactor.redact_all([(text, CONTEXT)], style)
        assert answer.text is not None
        assert SECRET.lower() not in answer.text.lower()


def test_no_exception_carries_a_text(capfd: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor(finder_factory=make_marked_finder)
    redactor.redact_all([(f"{NAME} {FAIL}", CONTEXT)], STYLES[0])
    with WorkerPool(SETTINGS, 1, finder_factory=make_marked_finder) as pool:
        pool.redact_all([(f"{NAME} {FAIL}", CONTEXT)], STYLES[0])
    output = capfd.readouterr()
    assert SECRET not in output.out + output.err
