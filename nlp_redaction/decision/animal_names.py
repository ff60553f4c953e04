"""Names of animals, which identify nobody: "her collie Fly", "their cat, Mog,"."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.names.reading import is_titled
from nlp_redaction.recognisers.names.triggers import DOUBTFUL_TITLES, TITLES

_ONE: Final = word_set(
    "cat dog collie rabbit budgie budgerigar ferret horse pony hamster parrot kitten "
    "puppy hen goat labrador spaniel terrier whippet greyhound lurcher poodle alsatian "
    "dachshund tortoise donkey cockatiel gerbil"
)
_SEVERAL: Final = frozenset(f"{kind}s" for kind in _ONE) | {"puppies", "ponies"}
PET_KINDS: Final = _ONE | _SEVERAL
_OPENING: Final = frozenset({"named", "called", "("})
_CLOSING: Final = frozenset(",.;:)!?\n")
_SHORTEST_NAME: Final = 2


def find_pets(document: Document, kind: int) -> Iterator[tuple[int, int]]:
    """Yield the names behind the word for an animal at a token.

    A title, or a second capitalised word, makes a person or a place of it: "dog Mrs",
    "the dog Mary Smith walks". Behind a comma the name must end with a sign too.
    """
    if not document.words[kind].islower():
        return
    at, behind_comma = kind + 1, False
    if at < len(document.words) and document.words[at] == ",":
        at, behind_comma = at + 1, True
    while at < len(document.words) and document.folded[at] in _OPENING:
        at, behind_comma = at + 1, False
    while _is_name(document, at):
        following = document.words[at + 1] if at + 1 < len(document.words) else "."
        if behind_comma and following not in _CLOSING:
            return
        yield document.starts[at], document.ends[at]
        if document.words[kind].lower() not in _SEVERAL or following not in {
            "and",
            "&",
        }:
            return
        at += 2


def _is_name(document: Document, at: int) -> bool:
    if at >= len(document.words) or not document.words[at].isalpha():
        return False
    word = document.words[at]
    if (
        len(word) < _SHORTEST_NAME
        or not word.istitle()
        or document.folded[at] in TITLES | DOUBTFUL_TITLES
        or "\n" in document.plain[document.ends[at - 1] : document.starts[at]]
    ):
        return False
    return not (
        at + 1 < len(document.words)
        and is_titled(document.words[at + 1])
        and document.plain[document.ends[at] : document.starts[at + 1]] == " "
    )
