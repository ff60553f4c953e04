"""Words that a text may hold without meaning a person."""

from functools import cache
from typing import Final

from nlp_redaction.known_identifiers.spelling import look_at, spell_plainly, split_list
from nlp_redaction.lexicons import read_lexicon

# Names by themselves, though lists and models confuse them with something else.
_NEVER_A_WORD: Final = split_list(
    "barrett chester crohn derby doppler foley hodgkin ivy jack jean legg lewis lincoln"
    " murphy paget parkinson payne preston victor york"
)
TITLES: Final = split_list(
    "mr mrs ms miss mx master mister dr doctor prof professor sir dame lady lord rev"
    " reverend fr father sr sister nurse matron"
)
MODALS: Final = split_list("will may can might")
# A calling that a modal verb may follow: "sister will", "dr may".
CALLINGS: Final = split_list("dr doctor sister nurse matron prof professor")
THANKS: Final = split_list("thanks thankyou cheers ta thx")
NAME_CUES: Final = (
    TITLES
    | THANKS
    | split_list(
        "dear hi hello hiya hey name surname forename forenames firstname called named aka"
        " nee née known re cc"
    )
)
PATIENT_CUES: Final = split_list(
    "patient pt pts client resident user initials initial re name inpatient baby child"
)
PREDICATES: Final = split_list(
    "has had is was says said states stated reports reported denies denied came comes"
    " attended attends feels felt lives lived wants wanted does did doesnt didnt asked"
    " asks rang phoned told tells thinks thought looks looked seems seemed remains"
    " remained presented presents appeared appears takes took walks walked slept ate"
    " drank refused declined agreed agrees continues continued returned needs needed"
    " would could who has hasnt hadnt isnt wasnt got gets went goes knows knew"
)
EPONYM_NOUNS: Final = split_list(
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
    """Return the looks of the ordinary words."""
    return frozenset(map(look_at, list_ordinary()))


@cache
def list_clinical() -> frozenset[str]:
    """Return the words of clinical text."""
    return read_lexicon("clinical_words")


@cache
def list_forenames() -> frozenset[str]:
    """Return the forenames of the lists, plainly spelt."""
    return frozenset(map(spell_plainly, read_lexicon("forenames")))
