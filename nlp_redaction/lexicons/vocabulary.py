"""What the lists know of one word: a name, an ordinary word, a kept term, or nothing.

All questions are asked of words in lower case. The sets are built once a process.
"""

from typing import Final

from nlp_redaction.lexicons import read_lexicon, word_set

ROLES: Final = read_lexicon("roles")
KIN: Final = read_lexicon("kin")
ABBREVIATIONS: Final = read_lexicon("abbreviations")
KEPT_CAPITALS: Final = read_lexicon("kept_capitals")
BRANDS: Final = read_lexicon("brands")
EPONYMS: Final = read_lexicon("eponyms")
WORD_NAMES: Final = read_lexicon("common_word_names")
FORENAMES: Final = read_lexicon("forenames")
SURNAMES: Final = read_lexicon("surnames")
NAMES: Final = FORENAMES | SURNAMES
ORDINARY: Final = read_lexicon("clinical_words") | read_lexicon("plain_words")

TITLES_IN_ROLES: Final = word_set(
    "porter driver foster constable priest judge warden page mentor boss pastor clark "
    "chaplain mate partner guide friend chair child lad lass law baird"
)
"""Roles and kin words that are surnames often enough to be read as one after a title."""

_DRUG_ENDINGS: Final = (
    "mab", "nib", "pril", "sartan", "statin", "azole", "mycin", "cillin", "olol",
    "dipine", "oxacin", "vir", "triptan", "setron", "gliptin", "gliflozin", "parin",
    "xaban", "tidine", "caine", "azepam", "zolam", "barbital", "profen", "cycline",
    "floxacin", "fibrate", "thiazide", "semide", "lukast", "terol", "sone", "solone",
    "onide", "dronate", "platin", "taxel", "rubicin", "amide", "amine", "idone",
    "apine", "oxetine", "tryptyline", "triptyline", "ipramine", "parib", "ciclib",
    "itis", "osis", "ectomy", "ostomy", "otomy", "scopy", "aemia", "uria", "pathy",
    "plasty", "graphy", "ology", "ologist", "trophy", "algia", "opia", "aemic",
)  # fmt: skip


def is_medical_by_ending(word: str) -> bool:
    """Tell whether a long word ends as drugs, diseases or procedures do."""
    return len(word) > 6 and word.endswith(_DRUG_ENDINGS)  # noqa: PLR2004


SURE_NAMES: Final = NAMES - ORDINARY - EPONYMS - BRANDS - KEPT_CAPITALS - ROLES - KIN
"""Names that are nothing else on the lists."""

SURE_FORENAMES: Final = FORENAMES & SURE_NAMES


def is_known_otherwise(word: str) -> bool:
    """Tell whether the word is ordinary, a brand, an eponym or otherwise explained."""
    return (
        word in ORDINARY
        or word in KEPT_CAPITALS
        or word in BRANDS
        or word in ROLES
        or word in KIN
        or word in EPONYMS
        or is_medical_by_ending(word)
    )
