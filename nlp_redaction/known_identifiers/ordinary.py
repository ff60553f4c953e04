"""Words that a text may hold without meaning a person."""

from functools import cache
from typing import Final

from nlp_redaction.known_identifiers.spelling import normalise_ocr, spell_plainly
from nlp_redaction.lexicons import read_lexicon, word_set

# Names by themselves, though lists and models confuse them with something else.
_NEVER_A_WORD: Final = word_set(
    "barrett chester crohn derby doppler foley hodgkin ivy jack jean legg lewis lincoln"
    " murphy paget parkinson payne preston victor york"
)
TITLES: Final = word_set(
    "mr mrs ms miss mx master mister dr doctor prof professor sir dame lady lord rev"
    " reverend fr father sr sister nurse matron"
)
MODALS: Final = word_set("will may can might")
# A calling that a modal verb may follow: "sister will", "dr may".
CALLINGS: Final = word_set("dr doctor sister nurse matron prof professor")
THANKS: Final = word_set("thanks thankyou cheers ta thx")
NAME_CUES: Final = (
    TITLES
    | THANKS
    | word_set(
        "dear hi hello hiya hey name surname forename forenames firstname called named aka"
        " nee née known re cc"
    )
)
PATIENT_CUES: Final = word_set(
    "patient pt pts client resident user initials initial re name inpatient baby child"
)
PREDICATES: Final = word_set(
    "has had is was says said states stated reports reported denies denied came comes"
    " attended attends feels felt lives lived wants wanted does did doesnt didnt asked"
    " asks rang phoned told tells thinks thought ocr_forms looked seems seemed remains"
    " remained presented presents appeared appears takes took walks walked slept ate"
    " drank refused declined agreed agrees continues continued returned needs needed"
    " would could who has hasnt hadnt isnt wasnt got gets went goes knows knew"
)
EPONYM_NOUNS: Final = word_set(
    "disease syndrome sign palsy test score scale criteria classification lymphoma"
    " fracture contracture thyroiditis oesophagus esophagus catheter deformity"
    " phenomenon node nodes nodules tumour tumor sarcoma chorea ataxia law point"
)


@cache
def list_ordinary() -> frozenset[str]:
    """Return the words that are no name by themselves, plainly spelt."""
    words = read_lexicon("common_word_names") - _NEVER_A_WORD
    for name in ("clinical_words", "plain_words", "everyday_words"):
        words |= read_lexicon(name)
    return frozenset(map(spell_plainly, words))


@cache
def list_ordinary_looks() -> frozenset[str]:
    """Return the OCR forms of the ordinary words."""
    return frozenset(map(normalise_ocr, list_ordinary()))


@cache
def list_clinical() -> frozenset[str]:
    """Return the words of clinical text."""
    return read_lexicon("clinical_words")


@cache
def list_forenames() -> frozenset[str]:
    """Return the forenames of the lists, plainly spelt."""
    return frozenset(map(spell_plainly, read_lexicon("forenames")))
