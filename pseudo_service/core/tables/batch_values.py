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
from pseudo_service.core.projects.project import DateShiftRule
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.redaction import RedactTexts, withhold_texts
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.core.tables.quality import Counts, RejectedCells


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
        aliases: Superseded and re-issued numbers, and whether merges are followed.
    """

    keys: Mapping[str, KindKeys]
    date_shift: DateShiftRule
    identifier_rules: IdentifierRules
    sentinels: frozenset[date] = frozenset()
    opt_outs: OptOutCheck | None = None
    redact: RedactTexts = withhold_texts
    patient_table: PatientTable | None = None
    aliases: ProjectSupersededNumbers = NOTHING_SUPERSEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """The answer to one batch.

    ``counts`` of identifier columns are over the rows left after opt-outs and
    excluded codes, so that an identifier that removes its row, or keeps it from
    being checked, is counted and marked; those of other columns are over the rows
    answered. ``dated`` are the people whose dates were moved, or who got surrogates,
    and who got no pseudonym: not registered, but charged, for either tells about
    them too.
    """

    batch: pa.RecordBatch = field(repr=False)
    rows_in: int
    removed: Mapping[str, int]
    counts: Counts
    rejected: Sequence[RejectedCells]
    identities: Sequence[Identities]
    dated: Sequence[Identities] = ()
