"""Known numbers, postcodes, telephone numbers and e-mail addresses in any grouping."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.known_identifiers.spelling import read_digits, spell_plainly

_POSTCODE: Final = re.compile(
    r"\b([a-z]{1,2}\d[a-z\d]?)[ ]*(\d[a-z]{2})\b", re.IGNORECASE
)
_OUTWARD: Final = re.compile(r"[a-zA-Z]{1,2}\d[a-zA-Z\d]?")
_SHORTEST: Final = 4
_SHORTEST_FUZZY: Final = 8
_SHORTEST_LOCAL_PART: Final = 5
_NATIONAL: Final = 10
_NHS_NUMBER: Final = 10


class Form(StrEnum):
    """How a known value may be written."""

    NUMBER = "number"
    PHONE = "telephone number"
    LOCAL_PHONE = "telephone number without its area code"
    POSTCODE = "postcode"
    OUTWARD = "outward part of a postcode"
    EMAIL = "e-mail address"
    LOCAL_PART = "local part of an e-mail address"


@dataclass(frozen=True, slots=True, repr=False)
class KnownNumber:
    """A value to be found among the letters and digits of a text.

    Attributes:
        value: Its letters and digits; letters that look like digits are digits.
        form: What it is.
        label: How it is called when found.
        bears_error: Whether one wrong or swapped digit is borne.
        following: What may follow an outward part: the first digit of the inward one.
    """

    value: str
    form: Form
    label: Label
    bears_error: bool = False
    following: str = ""


def list_numbers(known: KnownIdentifiers) -> tuple[KnownNumber, ...]:
    """List what is to be found in a text's letters and digits."""
    found = [
        *_read_numbers(known.numbers),
        *_read_phones(known.phones),
        *_read_postcodes((*known.postcodes, *known.addresses)),
        *_read_emails(known.emails),
    ]
    return tuple(dict.fromkeys(found))


def _read_numbers(numbers: Iterable[str]) -> Iterator[KnownNumber]:
    for number in numbers:
        plain = spell_plainly(number)
        value = read_digits(plain)
        if len(value) < _SHORTEST or not any(sign.isdigit() for sign in plain):
            continue
        digits = "".join(sign for sign in plain if sign.isdigit())
        is_nhs = len(digits) == len(value) == _NHS_NUMBER
        label = Label.NHS_NUMBER if is_nhs else Label.ID
        yield KnownNumber(value, Form.NUMBER, label, len(value) >= _SHORTEST_FUZZY)


def _read_phones(phones: Iterable[str]) -> Iterator[KnownNumber]:
    for phone in phones:
        main = re.split(r"(?i)\bext|[x#]", phone)[0].replace("(0)", "")
        digits = "".join(sign for sign in main if sign.isdigit())
        national = re.sub(r"^(?:(?:00)?44)?0?", "", digits)
        if len(national) < _SHORTEST:
            continue
        bears = len(national) >= _SHORTEST_FUZZY
        yield KnownNumber(national, Form.PHONE, Label.PHONE, bears)
        if bears:
            yield KnownNumber("0" + national, Form.PHONE, Label.PHONE, bears)
        local = _drop_area_code(national)
        if local:
            yield KnownNumber(local, Form.LOCAL_PHONE, Label.PHONE)


def _drop_area_code(national: str) -> str:
    if len(national) != _NATIONAL or national[0] not in "12":
        return ""
    if national[0] == "2":
        return national[2:]
    is_city = national[1] == "1" or national[2] == "1"
    return national[3:] if is_city else national[4:]


def _read_postcodes(lines: Iterable[str]) -> Iterator[KnownNumber]:
    for line in lines:
        for match in _POSTCODE.finditer(spell_plainly(line)):
            outward, inward = map(read_digits, match.groups())
            yield KnownNumber(outward + inward, Form.POSTCODE, Label.POSTCODE)
            yield KnownNumber(
                outward, Form.OUTWARD, Label.POSTCODE, following=inward[0]
            )
        if _OUTWARD.fullmatch(line.strip()):
            outward = read_digits(spell_plainly(line))
            yield KnownNumber(outward, Form.OUTWARD, Label.POSTCODE)


def _read_emails(emails: Iterable[str]) -> Iterator[KnownNumber]:
    for email in emails:
        local, sign, domain = spell_plainly(email).strip().rpartition("@")
        if not sign or not local:
            continue
        start, end = read_digits(local), read_digits(domain)
        if start and end:
            yield KnownNumber(start + end, Form.EMAIL, Label.EMAIL)
        if len(start) >= _SHORTEST_LOCAL_PART and not local.isalpha():
            yield KnownNumber(start, Form.LOCAL_PART, Label.EMAIL)
