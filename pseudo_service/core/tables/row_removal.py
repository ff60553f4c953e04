"""Which rows of a batch leave before anything else is done, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.tables.identifier_columns import Identifiers, Rows
from pseudo_service.core.tables.quality import count_codes

OPT_OUT_KIND: Final = "nhs_number"


class RemovalReason(StrEnum):
    """Why a row is not answered; of several, the first counts."""

    OPT_OUT = "opt_out"
    UNCHECKABLE = "uncheckable"
    EXCLUDED_CODE = "excluded_code"
    INVALID_IDENTIFIER = "invalid_identifier"


_STAYS: Final = "stays"
_VERDICTS: Final = (_STAYS, *RemovalReason)


@dataclass(slots=True, kw_only=True)
class Removals:
    """The verdict on each row of a batch; the first one given stands."""

    verdicts: npt.NDArray[np.uint8] = field(repr=False)

    @classmethod
    def begin(cls, rows: int) -> "Removals":
        """Return a batch of which every row stays."""
        return cls(verdicts=np.zeros(rows, dtype=np.uint8))

    def remove(self, rows: npt.NDArray[np.bool_], reason: RemovalReason) -> None:
        """Remove the rows where the mask is true and that still stay."""
        self.verdicts[rows & (self.verdicts == 0)] = _VERDICTS.index(reason)

    def find_kept(self) -> Rows | None:
        """Return the positions of the rows that stay; None if all of them do."""
        if not self.verdicts.any():
            return None
        return np.flatnonzero(self.verdicts == 0)

    def find_judged(self) -> Rows | None:
        """Return the rows whose identifiers are judged; None if all of them are.

        Those that stay, and those that nobody could check: why not is what the
        hospital must hear. Of the opted-out nothing is looked at.
        """
        uncheckable = _VERDICTS.index(RemovalReason.UNCHECKABLE)
        is_judged = (self.verdicts == 0) | (self.verdicts == uncheckable)
        return None if is_judged.all() else np.flatnonzero(is_judged)

    def list_reasons(self) -> list[RemovalReason | None]:
        """Return why each row leaves; None where it stays."""
        reasons = (None, *RemovalReason)
        return [reasons[verdict] for verdict in self.verdicts.tolist()]

    def count(self) -> Mapping[str, int]:
        """Return how many rows left for each reason."""
        counts = count_codes(self.verdicts, _VERDICTS)
        counts.pop(_STAYS, None)
        return counts


def remove_opted_out(
    removals: Removals,
    patients: Sequence[Identifiers],
    check: OptOutCheck,
    *,
    named: Sequence[Identifiers] = (),
) -> None:
    """Remove the rows that name the opted-out, and those that nobody can check.

    A row is checked by its patient's NHS number; a local number says nothing of
    an opt-out, so a row with only that cannot be checked. Whoever else a row names
    by an NHS number (``named``: a mother) gets no pseudonym either.
    """
    is_checked = np.zeros(len(removals.verdicts), dtype=np.bool_)
    for source in (*patients, *named):
        if source.kind.name == OPT_OUT_KIND:
            has_left = np.append(check.find_opted_out(source.canonical), False)
            removals.remove(has_left[source.places], RemovalReason.OPT_OUT)
    for source in patients:
        if source.kind.name == OPT_OUT_KIND:
            can_check = np.append(check.find_checkable(source.canonical), False)
            is_checked |= can_check[source.places]
    if check.removes_uncheckable:
        removals.remove(~is_checked, RemovalReason.UNCHECKABLE)
