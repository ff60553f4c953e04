"""Runs a policy over a small table, with keys that every test shares."""

from datetime import date

import numpy as np
import pyarrow as pa

from pseudo_service.core.arrow.sorted_macs import SortedMacs
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    NO_SUPERSEDED_NUMBERS,
    NOTHING_SUPERSEDED,
    ProjectSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.opt_outs import OptOutCheck, add_survivors
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.projects.project import DateShiftRule, Uncheckable
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.kind_keys import KindKeys, PreviousKeys
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.core.redaction import RedactTexts, withhold_texts
from pseudo_service.core.tables.batch import deidentify_batch
from pseudo_service.core.tables.batch_values import BatchContext, BatchOutcome
from pseudo_service.core.tables.patient_table import PatientTable

TAG, VERSION, WEEKS = "TEST", 3, 26
DATE_KEY, OPT_OUT_KEY, BLIND_KEY = b"d" * 32, b"o" * 32, b"b" * 32
SURROGATE_KEY = b"s" * 32
PSEUDONYM_KEYS = {"nhs_number": b"n" * 32, "mrn@RXH": b"m" * 32}
PREVIOUS_KEYS = {"nhs_number": b"N" * 32, "mrn@RXH": b"M" * 32}
NHS_NUMBER = IdentifierKind.parse("nhs_number")


def make_context(
    *,
    kinds: tuple[str, ...] = ("nhs_number", "mrn@RXH"),
    sentinels: frozenset[date] = frozenset(),
    opt_outs: OptOutCheck | None = None,
    rules: IdentifierRules | None = None,
    redact: RedactTexts = withhold_texts,
    patient_table: PatientTable | None = None,
    superseded: ProjectSupersededNumbers = NOTHING_SUPERSEDED,
    overlaps: bool = False,
) -> BatchContext:
    parsed = [IdentifierKind.parse(kind) for kind in kinds]
    return BatchContext(
        keys={kind.text: _make_keys(kind, overlaps=overlaps) for kind in parsed},
        date_shift=DateShiftRule(bound=WEEKS),
        identifier_rules=rules
        or IdentifierRules(
            accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
        ),
        sentinels=sentinels,
        opt_outs=opt_outs,
        redact=redact,
        patient_table=patient_table,
        superseded=superseded,
    )


def _make_keys(kind: IdentifierKind, *, overlaps: bool) -> KindKeys:
    previous = PreviousKeys(
        pseudonym=KeyedHash(SecretKey(PREVIOUS_KEYS[kind.text]), kind),
        form=PseudonymFormat(tag=TAG, kind=kind, version=VERSION - 1),
    )
    return KindKeys(
        pseudonym=KeyedHash(SecretKey(PSEUDONYM_KEYS[kind.text]), kind),
        form=PseudonymFormat(tag=TAG, kind=kind, version=VERSION),
        date=KeyedHash(SecretKey(DATE_KEY), kind),
        surrogate=KeyedHash(SecretKey(SURROGATE_KEY), kind),
        blind=KeyedHash(SecretKey(BLIND_KEY), kind),
        previous=previous if overlaps else None,
    )


def make_opt_outs(
    numbers: list[str],
    *,
    is_allow_list: bool = False,
    uncheckable: Uncheckable = Uncheckable.REMOVE,
    superseded: SupersededNumbers = NO_SUPERSEDED_NUMBERS,
) -> OptOutCheck:
    hashing = KeyedHash(SecretKey(OPT_OUT_KEY), NHS_NUMBER)
    listed = sorted(hashing.mac_one(number) for number in numbers)
    joined = np.frombuffer(b"".join(listed), np.uint8).reshape(-1, 16)
    stored = SortedMacs.build(joined)
    if not is_allow_list:
        stored = add_survivors(stored, hashing, superseded)
    return OptOutCheck(
        hash=hashing,
        superseded=superseded,
        is_allow_list=is_allow_list,
        listed=stored,
        uncheckable=uncheckable,
    )


def deidentify(
    policy: str,
    table: dict[str, list] | pa.RecordBatch,
    context: BatchContext | None = None,
) -> BatchOutcome:
    """Compile and run a policy over one batch; plain lists get Arrow's own types."""
    batch = table if isinstance(table, pa.RecordBatch) else pa.record_batch(table)
    plan = compile_plan(parse_policy(policy), batch.schema)
    return deidentify_batch(plan, batch, context or make_context())


def list_rejected(outcome: BatchOutcome) -> set[tuple[str, str, int]]:
    return {
        (cells.column, cells.code, row)
        for cells in outcome.rejected
        for row in cells.rows.tolist()
    }
