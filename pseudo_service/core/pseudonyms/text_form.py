"""The text form of a pseudonym: encode, parse, and the tag of a project.

``<tag>-<letter><version><26 symbols><check symbol>``, for example with tag
``ABCD``, kind ``nhs_number`` and key version 1. Symbols are Crockford's base 32
(crockford.com/base32.html), strictly upper case; the check is Luhn modulo 32 over
every symbol before it. ``docs/pseudonym-format.md`` publishes it with vectors.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.arrow.numba_kernels import compiled
from pseudo_service.core.errors import InvalidArgument, PseudonymRefused
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.projects.project import TAG_LENGTH

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BODY_SYMBOLS: Final = 26
LAST_VERSION: Final = 9999
_BASE: Final = len(ALPHABET)
_VALUES: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_TAG: Final = re.compile(f"[{ALPHABET}]{{{TAG_LENGTH}}}")
_FORM: Final = re.compile(
    f"([{ALPHABET}]{{{TAG_LENGTH}}})-([A-Z])([1-9][0-9]{{0,3}})"
    f"([{ALPHABET}]{{{BODY_SYMBOLS}}})([{ALPHABET}])",
    re.ASCII,
)
_TAG_BITS: Final = 5 * TAG_LENGTH
_SYMBOLS: Final = np.frombuffer(ALPHABET.encode(), np.uint8)


def _double(value: int) -> int:
    """Return what a doubled symbol adds to a Luhn sum: the digits of 2 x value."""
    return 2 * value // _BASE + 2 * value % _BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonym:
    """The parts of a pseudonym whose check symbol is right."""

    tag: str
    letter: str
    version: KeyVersion
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymFormat:
    """How one project writes pseudonyms of one kind under one key version."""

    tag: str
    kind: IdentifierKind
    version: KeyVersion
    _head: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not _TAG.fullmatch(self.tag):
            msg = f"project tag: {TAG_LENGTH} symbols of Crockford's base 32"
            raise InvalidArgument(msg)
        if not 1 <= self.version <= LAST_VERSION:
            msg = f"key version: 1 to {LAST_VERSION}"
            raise InvalidArgument(msg)
        head = f"{self.tag}-{self.kind.letter}{self.version}"
        object.__setattr__(self, "_head", head)

    def encode(self, macs: Macs) -> pa.StringArray:
        """Return the pseudonyms of MACs (n, 16), none of them null."""
        head = np.frombuffer(self._head.encode(), np.uint8)
        width = len(head) + BODY_SYMBOLS + 1
        buffer = pa.allocate_buffer(len(macs) * width)
        text = np.frombuffer(buffer, np.uint8).reshape(-1, width)
        rows = np.ascontiguousarray(macs).reshape(-1, MAC_BYTES)
        _spell(rows, head, _sum_symbols(self._head.replace("-", "")), _SYMBOLS, text)
        offsets = np.arange(0, (len(macs) + 1) * width, width, dtype=np.int32)
        return pa.StringArray.from_buffers(len(macs), pa.py_buffer(offsets), buffer)

    def encode_one(self, mac: bytes) -> str:
        """Return the pseudonym of one 16-byte MAC."""
        body = _encode_body(mac)
        return self._head + body + _check_symbol(self._head + body)

    def parse(self, text: str) -> bytes:
        """Return the MAC that a pseudonym of this project, kind and version holds.

        Raises:
            PseudonymRefused: Naming the part that is wrong.
        """
        found = parse_pseudonym(text)
        if found.tag != self.tag:
            msg = "pseudonym: project tag is another project's"
        elif found.letter != self.kind.letter:
            msg = f"pseudonym: kind letter is not that of {self.kind.text}"
        elif found.version != self.version:
            msg = f"pseudonym: key version is {found.version}, expected {self.version}"
        else:
            return found.mac
        raise PseudonymRefused(msg)


def parse_pseudonym(text: str) -> Pseudonym:
    """Read a pseudonym of any project, kind and version.

    Raises:
        PseudonymRefused: The form, the check symbol or the padding is wrong.
    """
    parts = _FORM.fullmatch(text)
    if parts is None:
        msg = "pseudonym: form is not TAG-KIND-VERSION-BODY-CHECK, all upper case"
        raise PseudonymRefused(msg)
    tag, letter, version, body, check = parts.groups()
    if letter not in _VALUES or _check_symbol(text[:-1]) != check:
        msg = "pseudonym: check symbol is wrong; look for a mistyped symbol"
        raise PseudonymRefused(msg)
    number = 0
    for symbol in body:
        number = number * _BASE + _VALUES[symbol]
    if number >> (8 * MAC_BYTES):
        msg = "pseudonym: padding is not zero"
        raise PseudonymRefused(msg)
    mac = number.to_bytes(MAC_BYTES, "big")
    return Pseudonym(tag=tag, letter=letter, version=KeyVersion(int(version)), mac=mac)


def draw_tag(entropy_bytes: bytes) -> str:
    """Return a project tag from at least three random bytes, all tags alike likely.

    Raises:
        InvalidArgument: Fewer than three bytes were given.
    """
    if 8 * len(entropy_bytes) < _TAG_BITS:
        msg = "project tag: draw at least 3 bytes"
        raise InvalidArgument(msg)
    number = int.from_bytes(entropy_bytes, "big")
    return "".join(
        ALPHABET[number >> shift & _BASE - 1] for shift in range(0, _TAG_BITS, 5)
    )


@compiled("in uint8[2]", "in uint8[1]", "int64", "in uint8[1]", "uint8[2]")
def _spell(
    macs: npt.NDArray[np.uint8],
    head: npt.NDArray[np.uint8],
    head_sum: int,
    symbols: npt.NDArray[np.uint8],
    text: npt.NDArray[np.uint8],
) -> None:
    """Write each MAC's text: the head, 26 symbols, the check symbol.

    The first byte with the two zero bits before it makes two symbols, each five of
    the other fifteen bytes make eight.
    """
    at_body = len(head)
    for row in range(len(macs)):
        for place in range(at_body):
            text[row, place] = head[place]
        first = np.int64(macs[row, 0])
        high, low = first >> 5, first & 31
        text[row, at_body], text[row, at_body + 1] = symbols[high], symbols[low]
        total = head_sum + high + (low >> 4) + (2 * low & 31)
        for group in range(3):
            bits = np.int64(0)
            for place in range(5):
                bits = bits << 8 | np.int64(macs[row, 1 + 5 * group + place])
            at = at_body + 2 + 8 * group
            for pair in range(4):
                high = bits >> (35 - 10 * pair) & 31
                low = bits >> (30 - 10 * pair) & 31
                text[row, at + 2 * pair] = symbols[high]
                text[row, at + 2 * pair + 1] = symbols[low]
                # Doubled, a symbol counts as the two digits of its double.
                total += high + (low >> 4) + (2 * low & 31)
        text[row, at_body + 26] = symbols[-total & 31]


def _encode_body(mac: bytes) -> str:
    number = int.from_bytes(mac, "big")
    shifts = range(5 * (BODY_SYMBOLS - 1), -1, -5)
    return "".join(ALPHABET[number >> shift & _BASE - 1] for shift in shifts)


def _check_symbol(text: str) -> str:
    """Return the Luhn modulo 32 check symbol of a pseudonym without it."""
    return ALPHABET[-_sum_symbols(text.replace("-", "")) % _BASE]


def _sum_symbols(symbols: str) -> int:
    """Return the Luhn sum, in which every second symbol from the right is doubled.

    Twenty-six symbols are an even number, so the sum over a whole pseudonym is the
    sum over its head and the sum over its body.
    """
    values = [_VALUES[symbol] for symbol in reversed(symbols)]
    return sum(map(_double, values[0::2])) + sum(values[1::2])
