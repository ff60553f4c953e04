"""People whose pseudonyms an answer holds: what the register must know of them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.identifiers.kinds import IdentifierKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The identities of one kind whose pseudonyms are in the answer, each once.

    ``blind`` is their blind index, (n, 16) uint8, in the order of ``canonical``.
    """

    kind: IdentifierKind
    canonical: pa.StringArray = field(repr=False)
    blind: npt.NDArray[np.uint8] = field(repr=False)
