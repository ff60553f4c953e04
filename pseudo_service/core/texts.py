"""What became of a free text, and the answer when there is no redactor."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class TextCode(StrEnum):
    """What became of a text; all but the first two are answered null."""

    OK = "ok"
    MISSING = "missing"
    WITHHELD = "withheld"
    TOO_LONG = "too_long"
    TIMED_OUT = "timed_out"


TEXT_CODES: Final = tuple(TextCode)
TextCodes = npt.NDArray[np.uint8]
RedactTexts = Callable[[pa.Array], tuple[pa.Array, TextCodes]]
"""Takes a column of text; returns as many texts, and an index into TEXT_CODES each."""


def withhold_texts(values: pa.Array) -> tuple[pa.Array, TextCodes]:
    """Withhold every text: what cannot be redacted does not leave."""
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    missing, withheld = map(TEXT_CODES.index, (TextCode.MISSING, TextCode.WITHHELD))
    codes = np.where(is_null, np.uint8(missing), np.uint8(withheld))
    return pa.nulls(len(values), pa.string()), codes
