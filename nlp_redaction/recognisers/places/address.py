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
from nlp_redaction.recognisers.places.address_words import (
    AFTER_CUE,
    BARE_STREETS,
    LOWER_HOUSES,
    NEVER_NAMES,
    NOT_STREET_NAMES,
    NUMBER_WORDS,
    PREPOSITIONS,
    SIGNS,
    STOREY_TAILS,
    STOREYS,
    SURE_HOUSES,
    USUAL_STREETS,
    Sign,
)

_LONGEST_NUMBER: Final = 4
_LONGEST_BARE_NUMBER: Final = 3
_SHORTEST_NAME: Final = 3
_MOST_CUED: Final = 5
_MOST_BARE: Final = 3
_TITLES: Final = frozenset(("st", "dr"))
_SHORT: Final = frozenset(("dr", "ct", "str", "pl", "ter", "gr", "av", "ln"))


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
        folded = document.folded
        first = find_name_start(document, index)
        if first == index:
            return self._read_the_house(document, index)
        if self._is_code(document, index):
            return None
        number = find_number_before(document, first)
        if number is not None:
            return self._weigh_numbered(document, number, index)
        if folded[index] in _TITLES and is_followed_by_name(document, index):
            usual = folded[index - 1] in USUAL_STREETS
            return Piece(index - 1, index, 0.3, "St or street") if usual else None
        first = strip_to_capitals(document, first, index)
        if first < index:
            return self._weigh_capitalised(document, first, index)
        if folded[index] in BARE_STREETS:
            return self._weigh_bare(document, index)
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
        last = index + 1
        while last < len(words) and words[last] in ".,":
            last += 1
        if last >= len(words) or not is_near(document, index, last):
            return None
        if not words[last].isdigit() and not (
            len(words[last]) == 1 and words[last].isupper()
        ):
            return None
        if len(words[last]) > _LONGEST_NUMBER:
            return None
        last = end_number(document, last)
        if document.plain[document.ends[last] : document.ends[last] + 1].isalnum():
            return None
        sure = (
            folded[index] in ("flat", "apartment", "apt", "studio")
            and words[index] != "T"
        )
        tail = document.plain[document.ends[last] : document.ends[last] + 2]
        if tail[:1] in "%/" and tail:
            return None
        return Piece(index, last, 0.6 if sure else 0.2, "unit")

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
        before = folded[index - 1] if index else ""
        if before not in ("at", "from", "outside", "is", "to") or before in (
            "is",
            "to",
        ):
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

    # --- weighing -------------------------------------------------------------------

    def _weigh_numbered(
        self, document: Document, first: int, last: int
    ) -> Piece | None:
        """Weigh a number, a name and a street's last word."""
        words, folded = document.words, document.folded
        sign = SIGNS[folded[last]]
        name = [w for w in words[first:last] if len(w) > 1 and w.isalpha()]
        name = [w for w in name if w.lower() not in NUMBER_WORDS]
        if not name:
            return None
        if folded[last] == "dr" and is_followed_by_name(document, last):
            return None
        known = all(word.lower() in self._ordinary for word in name)
        if sign is Sign.STREET:
            return Piece(first, last, 0.9 if name[0][0].isupper() else 0.75, "street")
        if name[0][0].isupper() and words[last][0].isupper():
            upper = words[last].isupper()
            return Piece(first, last, 0.3 if known and upper else 0.8, "numbered name")
        if known or not self._is_believable(name, folded[last]):
            return Piece(first, last, 0.2, "number and street word")
        return Piece(first, last, 0.6, "numbered name")

    def _is_believable(self, name: list[str], street: str) -> bool:
        """Tell whether a lower-case name and a doubtful street word go together."""
        most = 2
        return (
            (SIGNS[street] is Sign.PLACE or street in LOWER_HOUSES)
            and len(name) <= most
            and not any(word.lower() in NEVER_NAMES for word in name)
            and any(word.islower() and word not in self._ordinary for word in name)
        )

    def _weigh_capitalised(
        self, document: Document, first: int, last: int
    ) -> Piece | None:
        """Weigh a capitalised name before a street's last word, without a number."""
        words, folded = document.words, document.folded
        sign = SIGNS[folded[last]]
        name = [word for word in words[first:last] if word[0].isalpha()]
        known = all(word.lower() in self._ordinary for word in name)
        upper = words[last].isupper() and len(words[last]) > 1
        if folded[last] in _SHORT and folded[last] != "ln":
            return Piece(first, last, 0.2, "short street word")
        if sign is Sign.HOUSE and not known and words[last].istitle():
            sure = folded[last] in SURE_HOUSES and (
                folded[first - 1 : first] == ["at"]
                or self._stands_apart(document, first, last)
            )
            return Piece(first, last, 0.55 if sure else 0.2, "name of a house")
        if sign is Sign.HOUSE or (upper and known):
            return Piece(first, last, 0.2, "name of a house")
        if not words[last][0].isupper() and folded[last] not in BARE_STREETS:
            return None
        if sign is Sign.STREET:
            return Piece(first, last, 0.55 if known or upper else 0.8, "street")
        if known or upper:
            return Piece(first, last, 0.2, "street word")
        return Piece(first, last, 0.55, "street by name")

    def _stands_apart(self, document: Document, first: int, last: int) -> bool:
        """Tell whether a name fills its part of a list or line."""
        plain, start, end = document.plain, document.starts[first], document.ends[last]
        before = plain[max(0, start - 2) : start].strip(" ")
        return before[-1:] in ("", ",", "(", "|", "\n") and (
            plain[end : end + 1] in ("", ",", ".", ")", "|", "\n", "\r")
        )

    def _weigh_bare(self, document: Document, index: int) -> Piece | None:
        """Weigh "on market street": lower-case and without a number."""
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
