"""Finds rows with a listed code, however the source wrote it.

Written here so that a doubtful value is removed rather than kept: case, dots, blanks,
dashes and full-width forms do not matter, nor the dagger and asterisk of ICD-10, and a
cell that holds several codes is excluded for any of them, whatever stands between them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NOT_PART_OF_A_CODE = "[^A-Z0-9]+"
_INVISIBLE = r"\p{Cf}+"
# Blanks and dashes end one code, or stand inside one: a cell is read in each way.
_ENDS_OF_CODES = (
    r"[^A-Z0-9.]+",
    r"[^A-Z0-9.\p{Pd}\x{2212}]+",
    r"[^A-Z0-9.\p{Pd}\x{2212}\t\p{Zs}]+",
)


def find_excluded(values: pa.Array, codes: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say for every value whether it holds a code of the list.

    Args:
        values: Text or integers; a null holds no code.
        codes: Codes; one that ends in ``*`` stands for all that begin so.
    """
    encoded = values.dictionary_encode()
    folded = fold_codes(encoded.dictionary.cast(pa.string()))
    excluded = _match(strip_codes(folded), codes)
    for ends in _ENDS_OF_CODES:
        parts = pc.split_pattern_regex(folded, ends)
        owners = pc.list_parent_indices(parts).to_numpy()
        listed = _match(strip_codes(parts.flatten()), codes)
        excluded[owners[listed]] = True
    table = np.append(excluded, False)
    indices = encoded.indices.fill_null(len(excluded))
    answer: npt.NDArray[np.bool_] = table[indices.to_numpy()]
    return answer


def fold_codes(texts: pa.StringArray) -> pa.StringArray:
    """Return the texts in upper case and in plain, visible characters."""
    plain = pc.utf8_upper(pc.utf8_normalize(texts, form="NFKC"))
    return pc.replace_substring_regex(plain, _INVISIBLE, "")


def strip_codes(folded: pa.StringArray) -> pa.StringArray:
    """Return the texts without whatever is not a letter or digit."""
    return pc.replace_substring_regex(folded, _NOT_PART_OF_A_CODE, "")


def _match(texts: pa.StringArray, codes: Sequence[str]) -> npt.NDArray[np.bool_]:
    plain = strip_codes(fold_codes(pa.array(codes, pa.string()))).to_pylist()
    exact = {c for c, code in zip(plain, codes, strict=True) if not code.endswith("*")}
    prefixes = {c for c, code in zip(plain, codes, strict=True) if code.endswith("*")}
    found = pc.is_in(texts, pa.array(sorted(exact), pa.string()))
    for length in sorted({len(prefix) for prefix in prefixes}):
        same = sorted(prefix for prefix in prefixes if len(prefix) == length)
        heads = pc.utf8_slice_codeunits(texts, 0, length)
        found = pc.or_(found, pc.is_in(heads, pa.array(same, pa.string())))
    answer: npt.NDArray[np.bool_] = found.to_numpy(zero_copy_only=False).copy()
    return answer
