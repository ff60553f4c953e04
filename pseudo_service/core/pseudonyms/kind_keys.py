"""The keyed hashes of one identifier kind in one project."""

from dataclasses import dataclass

from pseudo_service.core.pseudonyms.keyed_hash import HashesColumns
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousKeys:
    """How the key version before the current one writes pseudonyms of one kind."""

    pseudonym: HashesColumns
    form: PseudonymFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class KindKeys:
    """The keyed hashes and the text form of one identifier kind.

    ``previous`` is given while old pseudonyms may be answered beside the new.
    """

    pseudonym: HashesColumns
    form: PseudonymFormat
    date: HashesColumns
    surrogate: HashesColumns
    blind: HashesColumns
    previous: PreviousKeys | None = None
