"""The ten-digit numbers of the United Kingdom: check digit, ranges, dummies.

NHS number, Scottish CHI number and Northern Irish H&C number share one format
and check digit (NHS Data Dictionary, "NHS NUMBER": modulus 11, weights 10 to 2);
their ranges do not overlap.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.numba_kernels import compiled, view_texts
from pseudo_service.core.identifiers.kinds import CLASS_CODES, IdentifierClass

DIGITS: Final = 10
_CHI_LAST: Final = 3_112_999_999
_HC_FIRST: Final = 3_200_000_001
_HC_LAST: Final = 3_999_999_999
_TEST_FIRST: Final = 9_990_000_000
_ALL_ONES: Final = 1_111_111_111

_DUMMIES: Final = np.array(
    [
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
_DAYS_IN_MONTH: Final = np.array(
    [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64
)

# Findings about a number, before the kind of its column makes a class of them.
_ISSUED: Final = 0
_TEST: Final = 1
_HC: Final = 2
_CHI: Final = 3
_UNUSED: Final = 4
_BAD_CHECK_DIGIT: Final = 5
_DUMMY: Final = 6
_CLASSES_BY_FINDING: Final = (
    IdentifierClass.VALID,
    IdentifierClass.TEST_RANGE,
    IdentifierClass.HC_RANGE,
    IdentifierClass.CHI_RANGE,
    IdentifierClass.OTHER_RANGE,
    IdentifierClass.BAD_CHECK_DIGIT,
    IdentifierClass.DUMMY,
)
_OWN_RANGE: Mapping[str, int] = MappingProxyType(
    {"nhs_number": _ISSUED, "chi_number": _CHI, "hc_number": _HC}
)


def classify_numbers(
    texts: pa.StringArray, kind_name: str
) -> npt.NDArray[np.uint8] | None:
    """Return the class code of each number; None if any text is not ten digits.

    A dummy is called one whatever its check digit; a wrong check digit comes
    before the range, because a mistyped number has no range.
    """
    if texts.null_count or not len(texts):
        return None
    offsets, data = view_texts(texts)
    codes = np.empty(len(texts), dtype=np.uint8)
    class_codes = _list_class_codes(kind_name)
    are_numbers = _classify(offsets, data, _DUMMIES, _DAYS_IN_MONTH, class_codes, codes)
    return codes if are_numbers else None


def read_numbers(texts: pa.StringArray) -> npt.NDArray[np.int64] | None:
    """Return ten-digit texts as integers; None if any text is of another form."""
    if texts.null_count or not len(texts):
        return None
    offsets, data = view_texts(texts)
    numbers = np.empty(len(texts), dtype=np.int64)
    return numbers if _read(offsets, data, numbers) else None


@cache
def _list_class_codes(kind_name: str) -> npt.NDArray[np.uint8]:
    """Return each finding's class code: the kind's own range is the valid one."""
    classes = list(_CLASSES_BY_FINDING)
    own = _OWN_RANGE[kind_name]
    if own != _ISSUED:
        classes[_ISSUED] = IdentifierClass.OTHER_RANGE
        classes[own] = IdentifierClass.VALID
    return np.array([CLASS_CODES[found] for found in classes], dtype=np.uint8)


@compiled("in int32[1]", "in uint8[1]", "int64[1]")
def _read(
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    numbers: npt.NDArray[np.int64],
) -> bool:
    begin = np.int64(offsets[0])
    if begin < 0 or begin + DIGITS * len(numbers) > len(data):
        return False
    for row in range(len(numbers)):
        if offsets[row + 1] != begin + DIGITS:
            return False
        number = np.int64(0)
        for place in range(DIGITS):
            digit = np.int64(data[begin + place]) - 48
            if digit < 0 or digit > 9:  # noqa: PLR2004
                return False
            number = number * 10 + digit
        numbers[row] = number
        begin += DIGITS
    return True


@compiled(
    "in int32[1]",
    "in uint8[1]",
    "in int64[1]",
    "in int64[1]",
    "in uint8[1]",
    "uint8[1]",
)
def _classify(  # noqa: C901, PLR0912, PLR0917 - a kernel is one loop, without keywords
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    dummies: npt.NDArray[np.int64],
    days_in_month: npt.NDArray[np.int64],
    class_codes: npt.NDArray[np.uint8],
    codes: npt.NDArray[np.uint8],
) -> bool:
    begin = np.int64(offsets[0])
    if begin < 0 or begin + DIGITS * len(codes) > len(data):
        return False
    for row in range(len(codes)):
        if offsets[row + 1] != begin + DIGITS:
            return False
        number = np.int64(0)
        # With the check digit weighted 1, a right number's sum is a multiple of 11;
        # a remainder of 10 would need a two-digit check digit and never matches.
        weighted = np.int64(0)
        for place in range(DIGITS):
            digit = np.int64(data[begin + place]) - 48
            if digit < 0 or digit > 9:  # noqa: PLR2004
                return False
            number = number * 10 + digit
            weighted += (DIGITS - place) * digit
        begin += DIGITS
        is_dummy = number % _ALL_ONES == 0  # ten equal digits
        for dummy in dummies:
            is_dummy |= number == dummy
        if is_dummy:
            finding = _DUMMY
        elif weighted % 11 != 0:
            finding = _BAD_CHECK_DIGIT
        elif number >= _TEST_FIRST:
            finding = _TEST
        elif number > _HC_LAST:
            finding = _ISSUED
        elif number >= _HC_FIRST:
            finding = _HC
        elif number > _CHI_LAST:
            finding = _ISSUED
        else:
            # Does it begin with a day, month and year (DDMMYY)? The century is
            # unknown, so 00 may be the leap year 2000.
            day, month = number // 100_000_000, number // 1_000_000 % 100
            leaps = number // 10_000 % 4 == 0
            longest = days_in_month[month] if month <= 12 else 0  # noqa: PLR2004
            if month == 2 and not leaps:  # noqa: PLR2004
                longest = 28
            finding = _CHI if 1 <= day <= longest else _UNUSED
        codes[row] = class_codes[finding]
    return True
