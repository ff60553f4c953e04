"""What is known of a patient, made ready once for all of the patient's texts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.known_identifiers.addresses import (
    Phrase,
    list_phrases,
    list_written_forms,
)
from nlp_redaction.known_identifiers.date_values import KnownDate, read_dates
from nlp_redaction.known_identifiers.fuzzy import FuzzyIndex
from nlp_redaction.known_identifiers.names import (
    Target,
    list_initials,
    list_ocr_forms,
    list_targets,
    read_names,
)
from nlp_redaction.known_identifiers.numbers import KnownNumber, list_numbers
from nlp_redaction.known_identifiers.spelling import normalise_ocr, split_words

_PATIENTS_KEPT: Final = 512
_SHORTEST_PLACE_WORD: Final = 6
# A longer word is no name: a whole note in the wrong column may hold one.
_LONGEST_IN_PIECES: Final = 40


@dataclass(frozen=True, slots=True, repr=False)
class Patient:
    """Everything to look for in the texts of one patient; its repr shows nothing.

    Attributes:
        names: The names, by OCR form.
        beginnings: The beginnings of their OCR forms, for names in pieces.
        fuzzy: The names that bear typing errors.
        initials: The patient's own initials in full, two letters at least.
        first_letters: The first letters of the patient's own names.
        initial_ocr_forms: The OCR forms of words that may be the patient's initials.
        phrases: Address phrases, by the OCR form of their first word.
        address_ocr_forms: The OCR forms of their words, short and long, to the long form.
        fuzzy_places: The words of addresses that bear errors.
        dates: Known dates.
        numbers: Numbers, postcodes, telephone numbers and e-mail addresses.
    """

    names: dict[str, Target]
    beginnings: frozenset[str]
    fuzzy: FuzzyIndex
    initials: frozenset[str]
    first_letters: frozenset[str]
    initial_ocr_forms: frozenset[str]
    phrases: dict[str, list[Phrase]]
    address_ocr_forms: dict[str, str]
    fuzzy_places: FuzzyIndex
    dates: tuple[KnownDate, ...]
    numbers: tuple[KnownNumber, ...]


@lru_cache(maxsize=_PATIENTS_KEPT)
def compile_patient(known: KnownIdentifiers) -> Patient:
    """List every variant of what is known; the last few hundred patients are kept."""
    own = read_names(known.names)
    targets = [
        *list_targets(own),
        *list_targets(read_names(known.people)),
    ]
    names: dict[str, Target] = {}
    for target in targets:
        for ocr_form in list_ocr_forms(target):
            names.setdefault(ocr_form, target)
    initials = list_initials(own)
    phrases: dict[str, list[Phrase]] = {}
    for phrase in list_phrases(known.addresses):
        phrases.setdefault(phrase.ocr_forms[0], []).append(phrase)
    return Patient(
        names=names,
        beginnings=frozenset(
            target.ocr_form[:length]
            for target in targets
            if target.may_break
            for length in range(1, min(len(target.ocr_form), _LONGEST_IN_PIECES))
        ),
        fuzzy=FuzzyIndex.build((target.ocr_form, target.errors) for target in targets),
        initials=initials,
        first_letters=frozenset(
            part[0] for name in own for word in name.words for part in split_words(word)
        ),
        initial_ocr_forms=frozenset(
            normalise_ocr(letters)
            for whole in initials
            for letters in (whole, whole[0])
        ),
        phrases=phrases,
        address_ocr_forms=list_written_forms(
            ocr_form
            for begun in phrases.values()
            for phrase in begun
            for ocr_form in phrase.ocr_forms
        ),
        fuzzy_places=FuzzyIndex.build(
            (ocr_form, 1)
            for begun in phrases.values()
            for phrase in begun
            for ocr_form in phrase.ocr_forms
            if len(ocr_form) >= _SHORTEST_PLACE_WORD
        ),
        dates=read_dates(known.dates),
        numbers=list_numbers(known),
    )
