"""What the batches of a stream share, and what becomes of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.aliases import NOTHING_ALIASED, ProjectAliases
from pseudo_service.core.identifiers import IdentifierKind, IdentifierRules
from pseudo_service.core.keyed_hash import HashesColumns
from pseudo_service.core.opt_out_check import OptOutCheck
from pseudo_service.core.patient_table import PatientTable
from pseudo_service.core.projects import DateShiftRule
from pseudo_service.core.pseudonyms import PseudonymFormat
from pseudo_service.core.quality import Counts, RejectedCells
from pseudo_service.core.texts import RedactTexts, withhold_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousKeys:
    """How the key version before the current one writes pseudonyms of one kind."""

    pseudonym: HashesColumns
    form: PseudonymFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class KindKeys:
    """The keyed hashes and the text form of one identifier kind.

    ``previous`` is given while old pseudonyms may be answered beside the new.
    """

    pseudonym: HashesColumns
    form: PseudonymFormat
    date: HashesColumns
    surrogate: HashesColumns
    blind: HashesColumns
    previous: PreviousKeys | None = None


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
    aliases: ProjectAliases = NOTHING_ALIASED


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The identities of one kind whose pseudonyms are in the answer, each once.

    ``blind`` is their blind index, (n, 16) uint8, in the order of ``canonical``.
    """

    kind: IdentifierKind
    canonical: pa.StringArray = field(repr=False)
    blind: npt.NDArray[np.uint8] = field(repr=False)


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
