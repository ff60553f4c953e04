"""The classes that the models tell apart: none, or one of the kinds of identifier."""

from typing import Final

import numpy as np
import numpy.typing as npt

from nlp_redaction.document.spans import Label

LABELS: Final[tuple[Label, ...]] = tuple(Label)
NONE: Final = 0
CLASS_NAMES: Final = ("NONE", *(label.value for label in LABELS))
"""Position 0 is no identifier; a label's position is its place in ``Label`` plus one."""

Probabilities = npt.NDArray[np.float32]
"""One row a token of a document, one column a class of ``CLASS_NAMES``."""
