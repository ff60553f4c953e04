"""Kinds of identifier, the classes that a value can be of, and who decides."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pseudo_service.core.errors import IdentifierRefused

_KIND = re.compile(r"([a-z_]{2,16})(?:@([A-Z0-9]{3,6}))?")
_NATIONAL_LETTERS: Mapping[str, str] = MappingProxyType(
    {"nhs_number": "N", "chi_number": "C", "hc_number": "H"}
)
LONGEST_MESSAGE = 55
"""The longest message that HMAC-SHA256 takes in one block after the padded key."""
LONGEST_LOCAL_ID = 40


class IdentifierClass(StrEnum):
    """What a value in an identifier column turned out to be."""

    VALID = "valid"
    TEST_RANGE = "test_range"
    CHI_RANGE = "chi_range"
    HC_RANGE = "hc_range"
    OTHER_RANGE = "other_range"
    DUMMY = "dummy"
    BAD_CHECK_DIGIT = "bad_check_digit"
    WRONG_LENGTH = "wrong_length"
    NOT_A_NUMBER = "not_a_number"
    INVALID = "invalid"
    REISSUED = "reissued"
    MISSING = "missing"


CLASSES: tuple[IdentifierClass, ...] = tuple(IdentifierClass)
CLASS_CODES: Mapping[IdentifierClass, int] = MappingProxyType(
    {name: code for code, name in enumerate(CLASSES)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierKind:
    """What an identifier is a number of: a national scheme, or one site's own.

    Local kinds carry their site, because two hospitals give out the same numbers.
    """

    name: str
    site: str | None = None

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.text):
            msg = (
                "identifier kind: lower-case letters and underscores (2 to 16), "
                "for local numbers followed by @ and the site's code, as in mrn@RXH"
            )
            raise IdentifierRefused(msg)
        if self.is_national == bool(self.site):
            msg = "identifier kind: " + (
                "a national number has no site, leave out @ and what follows"
                if self.site
                else "a local number needs its site, as in mrn@RXH"
            )
            raise IdentifierRefused(msg)

    @classmethod
    def parse(cls, text: str) -> "IdentifierKind":
        """Read ``nhs_number``, ``chi_number``, ``hc_number`` or ``mrn@RXH``.

        Raises:
            IdentifierRefused: The text is no kind, or has a site too many or few.
        """
        name, at, site = text.partition("@")
        return cls(name=name, site=site if at else None)

    @property
    def is_national(self) -> bool:
        """Whether a national scheme, with check digit and ranges, defines it."""
        return self.name in _NATIONAL_LETTERS

    @property
    def text(self) -> str:
        """The kind as policies write it and as every MAC message begins."""
        return self.name if self.site is None else f"{self.name}@{self.site}"

    @property
    def letter(self) -> str:
        """The letter that stands for the kind in a pseudonym."""
        return _NATIONAL_LETTERS.get(self.name, "M" if self.name == "mrn" else "X")


NHS_NUMBER: Final = IdentifierKind(name="nhs_number")


class ChiInNhsColumn(StrEnum):
    """What a deployment or policy does with CHI-range values in an NHS column."""

    REJECT = "reject"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRules:
    """What the deployment and the policy accept beyond plainly valid numbers."""

    accept_test_range: bool
    chi_in_nhs_column: ChiInNhsColumn

    def accepts(self, found: IdentifierClass, kind: IdentifierKind) -> bool:
        """Return whether a value of this class is given a pseudonym."""
        match found:
            case IdentifierClass.VALID:
                return True
            case IdentifierClass.TEST_RANGE:
                return self.accept_test_range
            case IdentifierClass.CHI_RANGE:
                return (
                    kind.name == "nhs_number"
                    and self.chi_in_nhs_column is ChiInNhsColumn.ACCEPT
                )
            case _:
                return False
