"""What the batches of a stream share, and what becomes of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import IdentifierRules
from pseudo_service.core.identifiers.superseded import (
    NOTHING_SUPERSEDED,
    ProjectSupersededNumbers,
)
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.policies.plan import Plan
from pseudo_service.core.projects.project import DateShiftRule
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.redaction import RedactTexts, withhold_texts
from pseudo_service.core.tables.identifier_columns import Identifiers, Rows
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.core.tables.quality import CellCodes, Counts, RejectedCells
from pseudo_service.core.tables.row_removal import Removals
from pseudo_service.core.tables.text_cells import FOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """What the batches of one stream share: all that the answer depends on.

    Attributes:
        keys: By kind as text; one for each of ``Plan.kinds``.
        date_shift: The project's rule for offsets.
        identifier_rules: The deployment's; the policy may decide on CHI numbers.
        sentinels: The deployment's dates that are no dates; the policy may add to them.
        opt_outs: The check; None where the project does not apply opt-outs.
        redact: Redacts texts; by default they are withheld.
        patient_table: Further known identifiers; None where the policy has none.
        superseded: Superseded and re-issued numbers, and whether merges are followed.
    """

    keys: Mapping[str, KindKeys]
    date_shift: DateShiftRule
    identifier_rules: IdentifierRules
    sentinels: frozenset[date] = frozenset()
    opt_outs: OptOutCheck | None = None
    redact: RedactTexts = withhold_texts
    patient_table: PatientTable | None = None
    superseded: ProjectSupersededNumbers = NOTHING_SUPERSEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedBatch:
    """A batch of which it is decided who is answered, and nothing is computed yet.

    Attributes:
        plan: The table's plan.
        batch: As it was sent.
        context: What its stream shares.
        removals: Why rows leave.
        rows: The positions of the rows that stay; None if all of them do.
        kept: The identifier columns by position, of the rows that stay.
        judged: What the identifiers of each column are, by the column's name: of the
            rows that stay, and of those that an identifier removes or that nobody
            can check for an opt-out.
        rejected: The identifiers that should have become pseudonyms and cannot.
        identities: The people who get a pseudonym.
        dated: The people whose dates are moved, or who get surrogates, and who get no
            pseudonym. They are not registered, but they are charged, for either tells
            about them too.
    """

    plan: Plan
    batch: pa.RecordBatch = field(repr=False)
    context: BatchContext = field(repr=False)
    removals: Removals
    rows: Rows | None = field(repr=False)
    kept: Mapping[int, Identifiers] = field(repr=False)
    judged: Mapping[str, CellCodes] = field(repr=False)
    rejected: Sequence[RejectedCells]
    identities: Sequence[Identities]
    dated: Sequence[Identities]

    @property
    def rows_out(self) -> int:
        """Return how many rows stay."""
        return self.batch.num_rows if self.rows is None else len(self.rows)

    def read(self, position: int) -> pa.Array:
        """Return a column in the rows that stay; views of text become text."""
        values = read_column(self.batch, position)
        return values if self.rows is None else values.take(pa.array(self.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """The answer to one batch.

    Attributes:
        batch: The rows that are answered.
        rows_in: How many rows were sent.
        removals: Why rows left.
        cells: What became of the cells of each column, by the column's name. Those of
            identifier columns are over the rows of ``IdentifiedBatch.judged``, so that
            an identifier that removes its row, or keeps it from being checked, is
            counted and marked; those of other columns are over the rows answered.
        found: What was found in the texts of a column, by label.
        rejected: Cells that had a value and are answered null.
        identities: As ``IdentifiedBatch.identities``.
        dated: As ``IdentifiedBatch.dated``.
    """

    batch: pa.RecordBatch = field(repr=False)
    rows_in: int
    removals: Removals
    cells: Mapping[str, CellCodes] = field(repr=False)
    found: Mapping[str, Mapping[str, int]]
    rejected: Sequence[RejectedCells]
    identities: Sequence[Identities]
    dated: Sequence[Identities] = ()

    @property
    def removed(self) -> Mapping[str, int]:
        """Return how many rows left for each reason."""
        return self.removals.count()

    @property
    def counts(self) -> Counts:
        """Return the cells of each code, and what was found in texts."""
        counts = {name: cells.count() for name, cells in self.cells.items()}
        found = {name + FOUND: labels for name, labels in self.found.items()}
        return counts | found


def read_column(batch: pa.RecordBatch, position: int) -> pa.Array:
    """Return a column of a batch; a view of text becomes plain text."""
    values = batch.column(position)
    if pa.types.is_string_view(values.type):
        return values.cast(pa.string())
    return values
