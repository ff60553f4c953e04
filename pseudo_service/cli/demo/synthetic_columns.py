"""The columns of the invented extract, and the ways in which they are untidy.

Shares are those of real extracts as a data manager meets them: most values are
plain, a third are written in some other way, a few are wrong or missing.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_FULL_WIDTH_ZERO = ord("０")  # noqa: RUF001 - full-width digits are the point
# Plain, spaced, ".0" of a spreadsheet, dashes, blank after, blank before, no-break
# spaces, a prefix, full-width digits.
_SPELLING_SHARES = (0.62, 0.17, 0.045, 0.035, 0.035, 0.025, 0.025, 0.035, 0.01)
# Right, a missing word, a wrong check digit, a digit lost, a dummy.
_FAULT_SHARES = (0.955, 0.025, 0.01, 0.006, 0.004)
_MISSING_WORDS = (None, "", "NULL", "N/A", "unknown", "-")
_DUMMY = "9999999999"
_SENTINEL_BIRTH = "1900-01-01"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GIRLS = _words(
    "Amina Beatrice Carys Deborah Eilidh Fatima Grace Harriet Imogen Joanna Kirsty "
    "Leila Megan Niamh Olivia Priya Rhiannon Siobhan Teresa Wendy Yasmin Zofia"
)
_BOYS = _words(
    "Adebayo Barnaby Callum Dafydd Edward Farid Gareth Hamish Ivan Jamal Kieran Leon "
    "Mohammed Nigel Owen Piotr Rajesh Samuel Trevor Vikram William Yusuf"
)
_SURNAMES = _words(
    "Abara Ahmed Ainsworth Begum Blackwood Campbell Chaudhry Davies Evans Fairbrother "
    "Fernandes Gallagher Griffiths Hussain Iyer Jones Kaur Kowalski Lloyd MacLeod "
    "Mensah Nowak O'Connor O'Hara Okafor Patel Quigley Rees Sandhu Singh Smith-Jones "
    "Taylor Thapa Underhill Walker Whitfield Xu Yilmaz Zaman"
)
_STREETS = _words(
    "Abbot Alder Beacon Bramble Canal Chapel Dovecote Foundry Heron Juniper Kiln "
    "Lantern Mill Orchard Quarry Saddler Thistle Weaver"
)
_STREET_ENDS = _words("Avenue Close Court Drive Lane Rise Road Street Terrace Way")
_TOWNS = _words(
    "Ashcombe Barrowmere Cawdale Denholt Eastmarsh Fenwold Grangeby Harrowick "
    "Ilmerton Kelbrook Lynmouthby Marlstead Northwell Oakhampstead Penravel"
)
_POSTCODE_AREAS = _words("AL BA BS CF DE EX GL HP IP LE MK NG OX PE RG SN TF WR YO")
_INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_TELEPHONES = (
    "0113 4960", "0121 4960", "0151 4960", "(0161) 4960", "020 79460", "+44 29 20180",
    "07700900", "+447700900", "01632960",
)  # fmt: skip
_SPECIALTIES = (100, 110, 300, 301, 320, 330, 340, 361, 410, 430, 501, 502)
# Ordinary codes, with and without the dot, then one each that the law restricts.
_DIAGNOSES = (
    "J45.9", "J44.1", "I50.0", "I21.4", "E11.9", "N18.3", "K52.9", "M17.1", "F32.1",
    "I48", "R07", "J189", "S7200",
)  # fmt: skip
_RESTRICTED_DIAGNOSES = ("Z31.2", "A54.0", "F64.0")
_RESTRICTED_SHARE = 0.01


def untidy_nhs_numbers(
    rng: np.random.Generator, numbers: npt.NDArray[np.int64]
) -> pa.Array:
    """Write NHS numbers in a dozen ways, a few of them wrong or missing."""
    plain = pc.cast(pa.array(numbers), pa.string())
    spelling = _draw(rng, _SPELLING_SHARES, len(numbers))
    fault = _draw(rng, _FAULT_SHARES, len(numbers))
    wrong = pc.cast(pa.array(numbers - numbers % 10 + (numbers + 1) % 10), pa.string())
    return pc.choose(
        fault,
        pc.choose(spelling, *_spell_nhs_numbers(plain)),
        _pick(rng, _MISSING_WORDS, len(numbers)),
        wrong,
        pc.utf8_slice_codeunits(plain, 0, 9),
        pa.scalar(_DUMMY),
    )


def _spell_nhs_numbers(plain: pa.Array) -> tuple[pa.Array, ...]:
    parts = [pc.utf8_slice_codeunits(plain, *ends) for ends in ((0, 3), (3, 6), (6,))]
    return (
        plain,
        pc.binary_join_element_wise(*parts, " "),
        _join(plain, ".0"),
        pc.binary_join_element_wise(*parts, "-"),
        _join(plain, " "),
        _join(" ", plain),
        pc.binary_join_element_wise(*parts, "\N{NO-BREAK SPACE}"),
        _join("NHS ", plain),
        _widen_digits(plain),
    )


def _widen_digits(plain: pa.Array) -> pa.Array:
    for digit in range(10):
        plain = pc.replace_substring(plain, str(digit), chr(_FULL_WIDTH_ZERO + digit))
    return plain


def untidy_dates(
    rng: np.random.Generator, days: npt.NDArray[np.datetime64]
) -> pa.Array:
    """Write dates as ISO 8601, as 31/12/1999, as 31-Dec-1999, as a sentinel, or not."""
    dates = pa.array(days.astype("datetime64[D]"), pa.date32())
    return pc.choose(
        _draw(rng, (0.7, 0.2, 0.08, 0.005, 0.015), len(days)),
        pc.strftime(dates, "%Y-%m-%d"),
        pc.strftime(dates, "%d/%m/%Y"),
        pc.strftime(dates, "%d-%b-%Y"),
        pa.scalar(_SENTINEL_BIRTH),
        pa.scalar(None, pa.string()),
    )


def pick_forenames(rng: np.random.Generator, sexes: npt.NDArray[np.int64]) -> pa.Array:
    """Pick a forename a row; ``sexes`` is 0 for female and 1 for male."""
    girls = _pick(rng, _GIRLS, len(sexes))
    boys = _pick(rng, _BOYS, len(sexes))
    return pc.choose(pa.array(sexes), girls, boys)


def pick_surnames(rng: np.random.Generator, count: int) -> pa.Array:
    """Pick surnames, a few of them in capitals."""
    names = _pick(rng, _SURNAMES, count)
    return pc.choose(_draw(rng, (0.85, 0.15), count), names, pc.utf8_upper(names))


def make_addresses(rng: np.random.Generator, count: int) -> pa.Array:
    """Make the first line of an address."""
    houses = pc.cast(pa.array(rng.integers(1, 200, count)), pa.string())
    street = _pick(rng, _STREETS, count)
    return pc.binary_join_element_wise(
        houses, street, _pick(rng, _STREET_ENDS, count), " "
    )


def pick_towns(rng: np.random.Generator, count: int) -> pa.Array:
    """Pick invented towns."""
    return _pick(rng, _TOWNS, count)


def make_postcodes(rng: np.random.Generator, count: int) -> pa.Array:
    """Put postcodes together; some lack the blank, some are in small letters."""
    letters = [_pick(rng, tuple(_INWARD_LETTERS), count) for _ in range(2)]
    outward = _join(_pick(rng, _POSTCODE_AREAS, count), _number(rng, 1, 30, count))
    inward = _join(_number(rng, 0, 10, count), *letters)
    spaced = _join(outward, " ", inward)
    return pc.choose(
        _draw(rng, (0.7, 0.2, 0.1), count),
        spaced,
        _join(outward, inward),
        pc.utf8_lower(spaced),
    )


def make_telephones(rng: np.random.Generator, count: int) -> pa.Array:
    """Make telephone numbers of the ranges reserved for drama (Ofcom)."""
    last = _zero_padded(rng.integers(0, 1000, count), 3)
    return _join(_pick(rng, _TELEPHONES, count), last)


def make_practice_codes(rng: np.random.Generator, count: int) -> pa.Array:
    """Make GP practice codes: a letter and five digits."""
    letter = _pick(rng, tuple("ABCDEFGHJKLMNPVWY"), count)
    return _join(letter, _zero_padded(rng.integers(80_000, 90_000, count), 5))


def make_mrns(rng: np.random.Generator, count: int) -> pa.Array:
    """Make distinct hospital numbers of one site."""
    numbers = rng.choice(9_000_000, count, replace=False) + 1_000_000
    return _join("RXH", pc.cast(pa.array(numbers), pa.string()))


def make_spell_ids(count: int) -> pa.Array:
    """Number the spells."""
    return _join("SP", _zero_padded(np.arange(count), 9))


def make_consultants(rng: np.random.Generator, count: int) -> pa.Array:
    """Make the numbers of 300 consultants."""
    staff = 3_000_000 + rng.integers(0, 4_000_000, 300)
    return pc.cast(pa.array(rng.choice(staff, count)), pa.string())


def pick_specialties(rng: np.random.Generator, count: int) -> pa.Array:
    """Pick main specialty codes, as integers."""
    return pc.take(
        pa.array(_SPECIALTIES, pa.int32()),
        pa.array(rng.integers(0, len(_SPECIALTIES), count)),
    )


def pick_diagnoses(rng: np.random.Generator, count: int) -> pa.Array:
    """Pick ICD-10 codes; one in a hundred is legally restricted."""
    return pc.choose(
        _draw(rng, (1 - _RESTRICTED_SHARE, _RESTRICTED_SHARE), count),
        _pick(rng, _DIAGNOSES, count),
        _pick(rng, _RESTRICTED_DIAGNOSES, count),
    )


def _draw(rng: np.random.Generator, shares: Sequence[float], count: int) -> pa.Array:
    # Cumulative shares and one search: rng.choice(p=...) would build a table a call.
    limits = np.cumsum(shares)[:-1]
    return pa.array(np.searchsorted(limits, rng.random(count), side="right"))


def _pick(
    rng: np.random.Generator, options: Sequence[str | None], count: int
) -> pa.Array:
    chosen = pa.array(rng.integers(0, len(options), count))
    return pc.take(pa.array(options, pa.string()), chosen)


def _number(rng: np.random.Generator, low: int, high: int, count: int) -> pa.Array:
    return pc.cast(pa.array(rng.integers(low, high, count)), pa.string())


def _zero_padded(numbers: npt.NDArray[np.int64], width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
