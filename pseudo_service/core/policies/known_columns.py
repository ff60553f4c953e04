"""Infers which columns identify the patient of a free text, and as what."""

from typing import Final

from pseudo_service.core.policies.column_profiling import (
    ColumnProfile,
    Content,
    split_words,
)
from pseudo_service.core.redaction import KnownKind

_CONTENTS: Final = {
    Content.NHS_NUMBER: KnownKind.NUMBERS,
    Content.LOCAL_ID: KnownKind.NUMBERS,
    Content.BIRTH_DATE: KnownKind.DATES,
    Content.POSTCODE: KnownKind.POSTCODES,
}
# In this order: a practice's telephone is a telephone, a doctor's name a person's.
_WORDS_OF_KIND: Final = (
    (KnownKind.EMAILS, {"email", "mail"}),
    (KnownKind.PHONES, {"telephone", "phone", "tel", "mobile", "fax"}),
    (KnownKind.POSTCODES, {"postcode", "postcodes", "zip"}),
    (KnownKind.ADDRESSES, {"address", "street", "house", "town", "city"}),
    (
        KnownKind.NUMBERS,
        {"gmc", "passport", "nino", "insurance", "uprn", "mrn", "number", "no", "id"},
    ),
    (
        KnownKind.PEOPLE,
        {"nok", "kin", "consultant", "clinician", "doctor", "nurse", "gp", "carer"},
    ),
    (
        KnownKind.NAMES,
        {
            "forename", "forenames", "firstname", "surname", "lastname", "familyname",
            "maiden", "alias", "initials", "name", "names",
        },
    ),
)  # fmt: skip
_NOT_WRITTEN: Final = frozenset({"practice", "surgery", "code"})


def infer_known_kind(name: str, profile: ColumnProfile) -> KnownKind | None:
    """Return as what a column's values may stand in the patient's notes; else None.

    Args:
        name: The column's name.
        profile: What the column seems to hold.
    """
    if profile.content in _CONTENTS:
        return _CONTENTS[profile.content]
    if profile.content is not Content.DIRECT:
        return None
    words = split_words(name)
    for kind, signs in _WORDS_OF_KIND:
        if words & signs:
            # "gp_practice" holds a code that no note repeats as a person's name.
            is_code = kind is KnownKind.PEOPLE and words & _NOT_WRITTEN
            return KnownKind.NUMBERS if is_code else kind
    return None
