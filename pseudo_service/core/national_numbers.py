"""The ten-digit numbers of the United Kingdom: check digit, ranges, dummies.

NHS number, Scottish CHI number and Northern Irish H&C number share one format
and check digit (NHS Data Dictionary, "NHS NUMBER": modulus 11, weights 10 to 2);
their ranges do not overlap.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pseudo_service.core.identifier_kinds import CLASS_CODES, IdentifierClass

DIGITS = 10
_CHI_LAST = 3_112_999_999
_HC_FIRST, _HC_LAST = 3_200_000_001, 3_999_999_999
_TEST_FIRST = 9_990_000_000
_BLOCK = 65_536
"""Rows worked at a time, so that the intermediate arrays stay in the cache."""

_DUMMIES = np.array(
    [
        *(int(str(digit) * DIGITS) for digit in range(10)),
        123_456_789,  # 0123456789, whose check digit is right
        987_654_321,
        987_654_322,  # 0987654322, the same with its right check digit
        1_234_567_881,  # 1234567890 with its right check digit
        1_234_567_890,
        9_434_765_919,  # the Data Dictionary's example
        9_876_543_210,  # whose check digit is right
    ],
    dtype=np.int64,
)
# Three sums over the digits in one matrix product: the weighted sum of the check
# digit, and the upper and lower five digits, all small enough for float32.
_SUMS = np.array(
    [
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        [10_000, 1_000, 100, 10, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 10_000, 1_000, 100, 10, 1],
    ],
    dtype=np.float32,
).T
_DAYS_IN_MONTH = np.array(
    [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.uint8
)
_VALID_RANGE: Mapping[str, IdentifierClass | None] = MappingProxyType(
    {
        "nhs_number": None,
        "chi_number": IdentifierClass.CHI_RANGE,
        "hc_number": IdentifierClass.HC_RANGE,
    }
)


def classify_numbers(
    digits: npt.NDArray[np.uint8], kind_name: str
) -> npt.NDArray[np.uint8]:
    """Return the class code of each row of digits (n, 10), values 0 to 9.

    A dummy is called one whatever its check digit; a wrong check digit comes
    before the range, because a mistyped number has no range.
    """
    codes = np.empty(len(digits), dtype=np.uint8)
    for start in range(0, len(digits), _BLOCK):
        rows = slice(start, start + _BLOCK)
        codes[rows] = _classify_block(digits[rows], kind_name)
    return codes


def _classify_block(
    digits: npt.NDArray[np.uint8], kind_name: str
) -> npt.NDArray[np.uint8]:
    sums = (digits.astype(np.float32) @ _SUMS).astype(np.int64)
    numbers = sums[:, 1] * 100_000 + sums[:, 2]
    codes = _classify_ranges(numbers, digits)
    _judge_ranges(codes, kind_name)
    # With the check digit weighted 1, a right number's sum is a multiple of 11;
    # a remainder of 10 would need a two-digit check digit and never matches.
    codes[sums[:, 0] % 11 != 0] = CLASS_CODES[IdentifierClass.BAD_CHECK_DIGIT]
    codes[_are_dummies(numbers)] = CLASS_CODES[IdentifierClass.DUMMY]
    return codes


def _classify_ranges(
    numbers: npt.NDArray[np.int64], digits: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Return VALID for what England and Wales may issue, else whose range it is."""
    codes = np.full(len(numbers), CLASS_CODES[IdentifierClass.VALID], dtype=np.uint8)
    codes[numbers >= _TEST_FIRST] = CLASS_CODES[IdentifierClass.TEST_RANGE]
    early = numbers <= _HC_LAST
    if not early.any():
        return codes
    codes[early & (numbers >= _HC_FIRST)] = CLASS_CODES[IdentifierClass.HC_RANGE]
    dated = numbers <= _CHI_LAST
    codes[dated] = np.where(
        _begin_with_dates(digits[dated]),
        np.uint8(CLASS_CODES[IdentifierClass.CHI_RANGE]),
        np.uint8(CLASS_CODES[IdentifierClass.OTHER_RANGE]),
    )
    return codes


def _judge_ranges(codes: npt.NDArray[np.uint8], kind_name: str) -> None:
    """Turn the kind's own range into VALID, and NHS numbers into a foreign range."""
    own = _VALID_RANGE[kind_name]
    if own is None:
        return
    is_own = codes == CLASS_CODES[own]
    codes[codes == CLASS_CODES[IdentifierClass.VALID]] = CLASS_CODES[
        IdentifierClass.OTHER_RANGE
    ]
    codes[is_own] = CLASS_CODES[IdentifierClass.VALID]


def _begin_with_dates(digits: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return whether the first six digits are a day, month and year (DDMMYY)."""
    day = digits[:, 0] * 10 + digits[:, 1]
    month = digits[:, 2] * 10 + digits[:, 3]
    year = digits[:, 4] * 10 + digits[:, 5]
    longest = _DAYS_IN_MONTH[np.where(month <= 12, month, 0)]  # noqa: PLR2004
    # The century is unknown, so 00 may be the leap year 2000.
    leap_day_of_common_year = (day == 29) & (month == 2) & (year % 4 != 0)  # noqa: PLR2004
    plausible: npt.NDArray[np.bool_] = (
        (day >= 1) & (day <= longest) & ~leap_day_of_common_year
    )
    return plausible


def _are_dummies(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return np.isin(numbers, _DUMMIES)
