"""Writes something else of the same kind where an identifier stood."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.replacement.contact_surrogates import ContactSurrogates
from nlp_redaction.replacement.keyed_choice import canonical_word
from nlp_redaction.replacement.names import NameSurrogates
from nlp_redaction.replacement.numbers import NumberSurrogates
from nlp_redaction.replacement.ordinary import is_ordinary
from nlp_redaction.replacement.phones import PhoneSurrogates
from nlp_redaction.replacement.places import PlaceSurrogates

OLD_AGE: Final = "90+"
_LONG: Final = 4
_RUN: Final = re.compile(r"[^\W\d_]+|\d+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")


class Surrogates:
    """All surrogates around one patient, made from the patient's key."""

    def __init__(self, key: bytes, known: KnownIdentifiers) -> None:
        names = NameSurrogates(key, known)
        numbers = NumberSurrogates(key)
        places = PlaceSurrogates(key)
        reach = ContactSurrogates(key, names, numbers)
        self._writers: Mapping[Label, Callable[[str], str]] = {
            Label.NAME: names.replace,
            Label.NHS_NUMBER: numbers.replace_nhs_number,
            Label.ID: numbers.replace_id,
            Label.PHONE: PhoneSurrogates(key).replace,
            Label.EMAIL: reach.replace_email,
            Label.URL: reach.replace_url,
            Label.POSTCODE: numbers.replace_postcode,
            Label.ADDRESS: places.replace,
            Label.LOCATION: places.replace,
            Label.ORG: places.replace,
            Label.AGE_90_PLUS: lambda _: OLD_AGE,
        }

    def replace(self, label: Label, written: str) -> str | None:
        """Return the surrogate; None when there is none that hides what was written."""
        writer = self._writers.get(label)
        if writer is None:
            return None
        surrogate = writer(written)
        # Groups of a telephone number may agree: all that ring nowhere begin alike.
        runs = _LETTERS if label is Label.PHONE else _RUN
        return None if _gives_away(written, surrogate, runs) else surrogate


def _gives_away(written: str, surrogate: str, runs: re.Pattern[str]) -> bool:
    if canonical_word(written) == canonical_word(surrogate):
        return True
    left = set(runs.findall(surrogate.casefold()))
    return any(
        run in left and len(run) >= _LONG and not is_ordinary(run)
        for run in runs.findall(written.casefold())
    )
