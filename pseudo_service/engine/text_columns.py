"""Free text in a batch: redacted cell by cell, or withheld and counted."""

import numpy as np
import pyarrow as pa

from pseudo_service.core.texts import TEXT_CODES, TextCode
from pseudo_service.ports.text_redactor import TextRedactor


def redact_column(
    redactor: TextRedactor, column: pa.Array
) -> tuple[pa.Array, np.ndarray]:
    """Return the redacted column and a code a row (uint8, into ``TEXT_CODES``)."""
    texts = column.to_pylist()
    answer = redactor.redact(texts)
    codes = np.array(
        [
            TEXT_CODES.index(_judge(before, code))
            for before, code in zip(texts, answer.codes, strict=True)
        ],
        dtype=np.uint8,
    )
    return pa.array(answer.texts, pa.string()), codes


def _judge(before: str | None, code: str | None) -> TextCode:
    if code is not None:
        return TextCode(code)
    return TextCode.MISSING if before is None else TextCode.OK
