"""Names for the arrays that travel between modules: what they hold, dtype and shape."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

MAC_BYTES: Final = 16
"""How many bytes of an HMAC-SHA256 are kept."""

Macs: TypeAlias = npt.NDArray[np.uint8]
"""(n, 16): keyed hashes, one row an identifier; see ``KeyedHash.mac``."""

BlindIndices: TypeAlias = Macs
"""(n, 16): MACs under a blind-index key, by which the register knows people."""

Prefixes: TypeAlias = npt.NDArray[np.uint64]
"""(n,): the first 8 bytes of MACs, each as one big-endian number."""

QuotaCodes: TypeAlias = npt.NDArray[np.uint64]
"""(n,): keyed hashes of identifiers, which a quota counts."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""(n,): one answer, yes or no, a row."""

Places: TypeAlias = npt.NDArray[np.intp]
"""(n,): row numbers in another array."""
