"""Addresses: flats, houses and streets, in any case, one span as far as the town."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.places.address_join import Piece, join_pieces
from nlp_redaction.recognisers.places.address_parts import (
    end_number,
    find_name_end,
    find_name_start,
    find_number_before,
    is_followed_by_name,
    is_near,
    mend_scan,
    on_one_line,
    start_number,
    starts_number,
    strip_to_capitals,
)
from nlp_redaction.recognisers.places.address_scores import (
    score_capitalised,
    score_numbered,
)
from nlp_redaction.recognisers.places.address_words import (
    AFTER_CUE,
    BARE_STREETS,
    NEVER_NAMES,
    NOT_STREET_NAMES,
    NUMBER_WORDS,
    PREPOSITIONS,
    SIGNS,
    STOREY_TAILS,
    STOREYS,
    USUAL_STREETS,
    Sign,
)

_LONGEST_NUMBER: Final = 4
_SHORTEST_NAME: Final = 3
_MOST_CUED: Final = 5
_MOST_BARE: Final = 3
_TITLES: Final = frozenset(("st", "dr"))
_SURE_UNITS: Final = frozenset(("flat", "apartment", "apt", "studio"))


class AddressRecogniser(Recogniser):
    """Finds house, flat and street; the town and the postcode are others' business."""

    labels = (Label.ADDRESS,)

    def __init__(self) -> None:
        super().__init__()
        self._ordinary = read_lexicon("clinical_words")
        self._people = read_lexicon("forenames") | read_lexicon("surnames")
        self._readers = {
            Sign.STREET: self._read_street,
            Sign.PLACE: self._read_street,
            Sign.HOUSE: self._read_street,
            Sign.UNIT: self._read_unit,
            Sign.WELSH: self._read_welsh,
            Sign.CUE: self._read_cue,
            Sign.AT: self._read_at,
            Sign.BOX: self._read_box,
            Sign.NUMBER: self._read_number,
            Sign.THE: self._read_the,
        }

    def find(self, document: Document) -> Iterator[Span]:
        """Yield every address, its comma-separated parts joined."""
        document = mend_scan(document)
        signs = SIGNS
        found = [
            piece
            for index, word in enumerate(document.folded)
            if word in signs
            and (piece := self._readers[signs[word]](document, index)) is not None
        ]
        for piece in join_pieces(document, found, self._is_house_name):
            yield self.span(
                document.starts[piece.first],
                document.ends[piece.last],
                Label.ADDRESS,
                piece.score,
                piece.reason,
            )

    # --- reading one sign -----------------------------------------------------------

    def _read_street(self, document: Document, index: int) -> Piece | None:
        """Read the name and the number to the left of a street's last word."""
        first = find_name_start(document, index)
        if first == index:
            return self._read_the_house(document, index)
        if self._is_code(document, index):
            return None
        number = find_number_before(document, first)
        if number is not None:
            return score_numbered(document, number, index)
        return self._read_unnumbered(document, first, index)

    def _read_unnumbered(
        self, document: Document, first: int, index: int
    ) -> Piece | None:
        folded = document.folded
        if folded[index] in _TITLES and is_followed_by_name(document, index):
            usual = folded[index - 1] in USUAL_STREETS
            return Piece(index - 1, index, 0.3, "St or street") if usual else None
        first = strip_to_capitals(document, first, index)
        if first < index:
            return score_capitalised(document, first, index)
        if folded[index] in BARE_STREETS:
            return self._read_bare(document, index)
        return None

    def _read_the_house(self, document: Document, index: int) -> Piece | None:
        """Read "The Strand", which only its neighbours can make an address."""
        words = document.words
        if index and words[index - 1] in ("The", "THE") and words[index][0].isupper():
            return Piece(index - 1, index, 0.3, "the house")
        return None

    def _is_code(self, document: Document, index: int) -> bool:
        """Tell whether the word is rather a code: "ST4", "CT", "RD&E"."""
        word, end = document.words[index], document.ends[index]
        if word == "CT" or (word == "ST" and not document.words[index - 1].isupper()):
            return True
        after = document.plain[end : end + 1]
        if word == "dr" and after not in (",", "\n", "\r", ""):
            return True
        return after.isdigit() or after == "&"

    def _read_unit(self, document: Document, index: int) -> Piece | None:
        """Read a flat's or room's number to the right."""
        words, folded = document.words, document.folded
        if index and folded[index - 1] in STOREYS:
            return self._read_floor(document, index)
        number = self._find_unit_number(document, index)
        if number is None:
            return None
        last = end_number(document, number)
        behind = document.plain[document.ends[last] : document.ends[last] + 1]
        if behind.isalnum() or behind in ("%", "/"):
            return None
        sure = folded[index] in _SURE_UNITS and words[index] != "T"
        return Piece(index, last, 0.6 if sure else 0.2, "unit")

    def _find_unit_number(self, document: Document, index: int) -> int | None:
        """Return the token of the figures or the one capital behind "Flat"."""
        words = document.words
        at = index + 1
        while at < len(words) and words[at] in ".,":
            at += 1
        if at >= len(words) or not is_near(document, index, at):
            return None
        is_letter = len(words[at]) == 1 and words[at].isupper()
        is_number = words[at].isdigit() and len(words[at]) <= _LONGEST_NUMBER
        return at if is_letter or is_number else None

    def _read_floor(self, document: Document, index: int) -> Piece | None:
        """Take "Ground Floor" and "Top Floor" as a unit, to be joined to a street."""
        folded = document.folded
        last = index
        while folded[last + 1 : last + 2] and folded[last + 1] in STOREY_TAILS:
            last += 1
        return Piece(index - 1, last, 0.2, "unit")

    def _read_welsh(self, document: Document, index: int) -> Piece | None:
        """Read the name that follows Heol, Ffordd, Stryd ..."""
        words = document.words
        last = index
        for at in range(index + 1, min(index + 6, len(words))):
            if not is_near(document, at - 1, at):
                break
            if words[at][0].isupper() or words[at] in ("-", "y", "yr", "of", "'"):
                last = at
            else:
                break
        if (
            last == index
            or not words[last][0].isalpha()
            or not words[index][0].isupper()
        ):
            return None
        number = find_number_before(document, index)
        first = index if number is None else number
        return Piece(first, last, 0.8, "Welsh street")

    def _read_cue(self, document: Document, index: int) -> Piece | None:
        """Take what follows "Address:" when it looks like one."""
        words, folded = document.words, document.folded
        at = index + 1
        while at < len(words) and (
            folded[at] in AFTER_CUE or not words[at][0].isalnum()
        ):
            if words[at] in ",;(" or not on_one_line(document, at - 1, at):
                return None
            at += 1
        if at >= len(words) or at == index + 1 or not on_one_line(document, at - 1, at):
            return None
        strong = folded[index].startswith("ad") and words[index + 1] in ":."
        named = strong and words[at][0].isupper() and folded[at] not in self._ordinary
        if not named and not starts_number(document, at):
            return None
        last = find_name_end(document, at, _MOST_CUED)
        if last == at or not any(word[0].isupper() for word in words[at : last + 1]):
            return None
        return Piece(at, last, 0.6 if strong else 0.4, "after a cue")

    def _read_at(self, document: Document, index: int) -> Piece | None:
        """Read "at 11 Glebelands,": a number and a name that fills its part."""
        at = index + 1
        if document.folded[index] == "of" and document.words[index - 1][0] not in ",)":
            return None
        if at + 1 >= len(document.words) or not starts_number(document, at):
            return None
        number = end_number(document, at)
        while document.folded[number + 1 : number + 2] and (
            document.folded[number + 1] in NUMBER_WORDS
        ):
            number += 1
        last = find_name_end(document, number + 1, _MOST_BARE)
        if last <= number or not is_near(document, number, number + 1):
            return None
        name = document.folded[number + 1 : last + 1]
        if name[0] in NEVER_NAMES or any(word in self._ordinary for word in name):
            return None
        closing = document.plain[document.ends[last] : document.ends[last] + 1]
        sure = (
            closing in ("", ",", ".", ";", ")", "\n", "\r")
            and len(name[0]) >= _SHORTEST_NAME + 1
        )
        return Piece(at, last, 0.55 if sure else 0.3, "number and name")

    def _read_the(self, document: Document, index: int) -> Piece | None:
        """Read "114 The Roddens"."""
        words = document.words
        if words[index] == "the" or index == 0 or index + 1 >= len(words):
            return None
        number = index - 1
        if not words[number].isdigit() or len(words[number]) > _LONGEST_NUMBER:
            return None
        if not is_near(document, number, index) or not words[index + 1][0].isupper():
            return None
        if words[index + 1].lower() in self._ordinary:
            return None
        first = start_number(document, number)
        return None if first is None else Piece(first, index + 1, 0.6, "number, The")

    def _read_box(self, document: Document, index: int) -> Piece | None:
        words, folded = document.words, document.folded
        if index + 1 >= len(words) or not words[index + 1].isdigit():
            return None
        if index and folded[index - 1] == "po":
            return Piece(index - 1, index + 1, 0.9, "post office box")
        return None

    def _read_number(self, document: Document, index: int) -> Piece | None:
        """Read "neighbour at number 4", "lives at no. 10"."""
        words, folded = document.words, document.folded
        at = index + 1 + (words[index + 1 : index + 2] == ["."])
        longest = 3
        if at >= len(words) or not words[at].isdigit() or len(words[at]) > longest:
            return None
        # "is number 4" and "to number 4" count a pain or a bed as often as a house; on
        # the notes that the search is measured with they change nothing.
        before = folded[index - 1] if index else ""
        if before not in ("at", "from", "outside"):
            return None
        last = end_number(document, at)
        return Piece(index, last, 0.6, "house number")

    def _is_house_name(self, words: list[str]) -> bool:
        """Tell whether words before a street may name the house rather than a person."""
        return not any(
            word.lower() in self._people or word.lower() in self._ordinary
            for word in words
            if word[0].isalpha() and len(word) > 1
        )

    def _read_bare(self, document: Document, index: int) -> Piece | None:
        """Read "on market street": lower-case and without a number."""
        folded = document.folded
        name = folded[index - 1]
        if name == "old" and index > 1 and folded[index - 2] not in self._ordinary:
            return Piece(index - 2, index, 0.55, "old street")
        if (
            name in NOT_STREET_NAMES
            or name in NEVER_NAMES
            or len(name) < _SHORTEST_NAME
        ):
            return None
        first = index - 1
        before = folded[first - 1] if first else ""
        if folded[index] == "st" and before not in PREPOSITIONS:
            return None
        while before == "old" or (before.isalpha() and before not in self._ordinary):
            if (
                not is_near(document, first - 1, first)
                or index - first > _MOST_BARE - 1
            ):
                break
            first -= 1
            before = folded[first - 1] if first else ""
        if before in PREPOSITIONS or name not in self._ordinary:
            return Piece(first, index, 0.55, "street after a preposition")
        return None
