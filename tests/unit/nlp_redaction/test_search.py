"""A search answers for each text alone, in order, and for no other text."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing, Refusal, TextRefused
from nlp_redaction.search import Query, Searched, SearchedText, search_each

TEXTS = ("Ada rang", "Bob left", "Cal came")
QUERIES = [(text, NOTHING_KNOWN) for text in TEXTS]
Answers = Callable[[Sequence[str]], list[Searched]]


class Answering:
    """Answers a list of texts as a function says."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.sizes: list[int] = []

    def try_all(self, texts: Iterable[Query]) -> list[Searched]:
        some = [str(text) for text, _ in texts]
        self.sizes.append(len(some))
        return self.answers(some)


def answer(text: str) -> SearchedText:
    return SearchedText(Document.read(text), [Span(0, 3, Label.NAME, 1.0, "test")])


def list_codes(found: list[Searched]) -> list[Refusal | None]:
    return [one.refusal if isinstance(one, TextRefused) else None for one in found]


def test_texts_are_searched_together_and_answered_in_order() -> None:
    searcher = Answering(lambda texts: [answer(text) for text in texts])
    found = search_each(searcher, QUERIES)
    assert searcher.sizes == [3]
    assert [s.document.text for s in found if isinstance(s, SearchedText)] == [*TEXTS]


def test_a_text_that_breaks_the_search_is_refused_alone() -> None:
    def break_over_bob(texts: Sequence[str]) -> list[Searched]:
        if "Bob left" in texts:
            raise ValueError(texts)
        return [answer(text) for text in texts]

    searcher = Answering(break_over_bob)
    assert list_codes(search_each(searcher, QUERIES)) == [None, Refusal.FAILED, None]
    assert searcher.sizes == [3, 1, 1, 1]


def test_a_refusal_keeps_its_code() -> None:
    refusal = TextRefused(Refusal.TOO_LONG, "long")
    searcher = Answering(lambda texts: [refusal for _ in texts])
    assert list_codes(search_each(searcher, QUERIES)) == [Refusal.TOO_LONG] * 3


@pytest.mark.parametrize(
    "answers",
    [
        lambda texts: [answer(text) for text in reversed(texts)],
        lambda texts: [answer(texts[0].lower()) for _ in texts],
        lambda texts: [[] for _ in texts],
    ],
)
def test_the_answer_for_another_text_is_refused(answers: Answers) -> None:
    found = search_each(Answering(answers), [QUERIES[0], QUERIES[2]])
    assert list_codes(found) == [Refusal.FAILED] * 2


def test_a_missing_model_ends_the_search() -> None:
    def miss(_: Sequence[str]) -> list[Searched]:
        raise ModelMissing

    with pytest.raises(ModelMissing):
        search_each(Answering(miss), QUERIES)


def test_nothing_of_a_text_shows_in_its_representation() -> None:
    assert "Ada" not in repr(answer("Ada rang"))


def test_no_query_is_no_answer() -> None:
    assert search_each(Answering(lambda _: []), []) == []
