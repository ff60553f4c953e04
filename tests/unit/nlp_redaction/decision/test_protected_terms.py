"""What is medicine, a product or an animal is protected; a person is not."""

import pytest

from nlp_redaction.decision.protected_terms import (
    NEVER_NAMES,
    find_protected,
    is_certain_eponym,
)
from nlp_redaction.document.text import Document


def protects(text, word):
    at = text.index(word)
    return any(
        start <= at and at + len(word) <= end
        for start, end, _ in find_protected(Document.read(text))
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Jelonet and Mepore to the wound", "Jelonet"),
        ("Abbey pain 2 overnight", "Abbey"),
        ("Abbey 4 at rest", "Abbey"),
        ("Coventry Grid done", "Coventry"),
        ("Stockholm stage 2", "Stockholm"),
        ("Vienna category B", "Vienna"),
        ("Thompson hemi on the left", "Thompson"),
        ("Oxford knee score 31", "Oxford"),
        ("Hare checklist sent", "Hare"),
        ("fond of Elvis Presley", "Presley"),
        ("her collie Fly barks", "Fly"),
        ("lives with her cat, Mog, and", "Mog"),
        ("a budgie (Joey) at home", "Joey"),
        ("the rabbit called Clover died", "Clover"),
        ("two dogs Max and Bella here", "Bella"),
        ("VEH REG unknown, NOK told", "NOK"),
    ],
)
def test_what_is_protected(text, word):
    assert protects(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("lives in Coventry now", "Coventry"),
        ("moved to Stockholm", "Stockholm"),
        ("Mr Thompson hip pain", "Thompson"),
        ("seen by Hare today", "Hare"),
        ("walks the dog, Mary helps", "Mary"),
        ("the dog Mary Smith walks", "Mary"),
        ("dog. Mary came", "Mary"),
        ("Cat Stevens rang", "Stevens"),
        ("the cat", "the"),
        ("Queen Elizabeth Hospital", "Elizabeth"),
    ],
)
def test_what_is_not(text, word):
    assert not protects(text, word)


def test_brands_on_no_list_are_never_names():
    assert {"jelonet", "oticon", "clexane", "systmone"} <= NEVER_NAMES
    assert not {"zimmer", "stella", "atlas", "rennie"} & NEVER_NAMES


def test_a_head_that_no_person_has_is_certain() -> None:
    document = Document.read("with Bell's palsy, Colles' fracture, and Bell said")
    bell, colles, other = [
        at for at, word in enumerate(document.words) if word in {"Bell", "Colles"}
    ]
    assert is_certain_eponym(document, bell)
    assert is_certain_eponym(document, colles)
    assert not is_certain_eponym(document, other)


@pytest.mark.parametrize(
    ("text", "word", "reason"),
    [
        ("Abbey 4 at rest", "Abbey 4", "a kept phrase"),
        ("Oxford knee score 31", "Oxford", "an eponym before its head noun"),
        ("Jelonet to the wound", "Jelonet", "a brand"),
        ("her collie Fly barks", "Fly", "an animal's name"),
        ("VEH REG unknown, NOK told", "NOK", "an abbreviation"),
    ],
)
def test_the_row_that_decided_is_told(text: str, word: str, reason: str) -> None:
    told = {text[s:e]: why for s, e, why in find_protected(Document.read(text))}
    assert told[word] == reason
