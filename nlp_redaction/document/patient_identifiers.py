"""What a record already says about the patient of a text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIdentifiers:
    """The fields of one patient, as they are written in the record.

    Attributes:
        names: The patient's own names, whole or in parts.
        people: Relatives, carers, the general practitioner.
        dates: Dates of birth and the like, in any of the usual forms.
        numbers: NHS, hospital and other numbers.
        addresses: Lines of addresses.
        postcodes: Postcodes.
        phones: Telephone numbers.
        emails: E-mail addresses.
    """

    names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say what kind of thing this is, and nothing of what is in it."""
        return "KnownIdentifiers(...)"

    def __bool__(self) -> bool:
        """Tell whether anything at all is known."""
        return any(getattr(self, name) for name in self.__slots__)


NOTHING_KNOWN = KnownIdentifiers()
