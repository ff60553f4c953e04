"""Identifier columns of a batch, read once and shared by all that need them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    CLASS_CODES,
    CLASSES,
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import ProjectSupersededNumbers

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """A column as its distinct accepted identifiers, and which of them a row has.

    Attributes:
        kind: What the column holds.
        canonical: The distinct identifiers, none null.
        places: int32, one a row: an index into ``canonical``, or -1 for none.
        classes: uint8, one a row: an index into ``CLASSES``.
    """

    kind: IdentifierKind
    canonical: pa.StringArray = field(repr=False)
    places: npt.NDArray[np.int32] = field(repr=False)
    classes: npt.NDArray[np.uint8] = field(repr=False)

    @property
    def is_present(self) -> npt.NDArray[np.bool_]:
        """Say of each row whether it has an accepted identifier."""
        found: npt.NDArray[np.bool_] = self.places >= 0
        return found

    @property
    def is_invalid(self) -> npt.NDArray[np.bool_]:
        """Say of each row whether it has a value that is not accepted."""
        missing = CLASS_CODES[IdentifierClass.MISSING]
        found: npt.NDArray[np.bool_] = (self.places < 0) & (self.classes != missing)
        return found

    def list_unremarkable(self) -> frozenset[IdentifierClass]:
        """Return the classes whose values are accepted, and that of no value."""
        accepted = np.flatnonzero(np.bincount(self.classes[self.places >= 0]))
        return frozenset(
            {CLASSES[code] for code in accepted.tolist()} | {IdentifierClass.MISSING}
        )

    def select(self, rows: Rows | None) -> "Identifiers":
        """Return the rows that stay, and only those identifiers that they have."""
        if rows is None:
            return self
        places, classes = self.places[rows], self.classes[rows]
        is_used = np.zeros(len(self.canonical) + 1, dtype=np.bool_)
        is_used[places] = True
        is_used = is_used[:-1]
        renumbered = np.append(np.cumsum(is_used) - 1, -1).astype(np.int32)
        return Identifiers(
            kind=self.kind,
            canonical=self.canonical.filter(pa.array(is_used)),
            places=renumbered[places],
            classes=classes,
        )

    def refuse_reissued(self, superseded: ProjectSupersededNumbers) -> "Identifiers":
        """Return the column without the numbers that identify nobody any more."""
        reissued = superseded.find_reissued(self.canonical, self.kind)
        if not reissued.any():
            return self
        in_rows = np.append(reissued, False)[self.places]
        code = np.uint8(CLASS_CODES[IdentifierClass.REISSUED])
        renumbered = np.append(np.cumsum(~reissued) - 1, -1).astype(np.int32)
        return Identifiers(
            kind=self.kind,
            canonical=self.canonical.filter(pa.array(~reissued)),
            places=renumbered[np.where(in_rows, -1, self.places)],
            classes=np.where(in_rows, code, self.classes),
        )

    def follow_merges(self, superseded: ProjectSupersededNumbers) -> "Identifiers":
        """Return the column with survivors for superseded numbers, if so chosen."""
        followed = superseded.resolve(self.canonical, self.kind)
        if followed is self.canonical:
            return self
        distinct = followed.dictionary_encode()
        places = np.append(_fill(distinct.indices, -1), np.int32(-1))
        return Identifiers(
            kind=self.kind,
            canonical=distinct.dictionary,
            places=places[self.places],
            classes=self.classes,
        )

    def spread(self, texts: pa.StringArray) -> pa.StringArray:
        """Return for each row the text of its identifier; null where it has none."""
        if np.array_equal(self.places, np.arange(len(texts))):
            return texts
        places = pa.array(self.places, mask=self.places < 0)
        return texts.take(places)


def read_identifiers(
    column: pa.Array, kind: IdentifierKind, rules: IdentifierRules
) -> Identifiers:
    """Canonicalise a column by its distinct values.

    Different spellings of one number become one identifier.
    """
    encoded = _encode(column)
    spelled = canonicalise(encoded.dictionary, kind, rules)
    missing = CLASS_CODES[IdentifierClass.MISSING]
    rows = _fill(encoded.indices, len(spelled.classes))
    classes = np.append(spelled.classes, np.uint8(missing))[rows]
    if spelled.values is encoded.dictionary:
        # Every value was canonical as it came, so no two of them are one identifier.
        rows = np.where(rows == len(spelled.classes), np.int32(-1), rows)
        return Identifiers(
            kind=kind, canonical=spelled.values, places=rows, classes=classes
        )
    distinct = spelled.values.dictionary_encode()
    places = np.append(_fill(distinct.indices, -1), np.int32(-1))[rows]
    return Identifiers(
        kind=kind, canonical=distinct.dictionary, places=places, classes=classes
    )


def _encode(column: pa.Array) -> pa.DictionaryArray:
    """Return a column as its distinct values, and which of them a row has.

    Arrow sets a large table up for it; a single value needs none.
    """
    if len(column) == 1 and not column.null_count:
        first = pa.array([0], pa.int32())
        return pa.DictionaryArray.from_arrays(first, column)
    return column.dictionary_encode()


def _fill(indices: pa.Array, value: int) -> npt.NDArray[np.int32]:
    if indices.null_count:
        indices = indices.fill_null(value)
    filled: npt.NDArray[np.int32] = indices.to_numpy()
    return filled
