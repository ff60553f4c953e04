"""What a policy says of free text beyond one column, and the checks that span columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.treatments import (
    LONGEST_NAME,
    RedactText,
    Treatment,
    read_kind,
    read_known,
)
from pseudo_service.core.policies.yaml_reader import Entry, Fields
from pseudo_service.core.redaction import KnownKind, Replacement, TextDates


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTableRule:
    """A table that is sent ahead, one or more rows a patient.

    Attributes:
        name: What ``known_from`` calls it.
        column: Its column of the patients' numbers.
        kind: Of those numbers: one of the patient's.
        known: Its columns that hold known identifiers, by kind.
    """

    name: str
    column: str
    kind: IdentifierKind
    known: Mapping[KnownKind, tuple[str, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that such a table has, the patients' numbers first."""
        return (self.column, *(name for names in self.known.values() for name in names))


def read_patient_table(entry: Entry) -> PatientTableRule:
    """Read the section ``patient_table``.

    Raises:
        PolicyInvalid: A key or value breaks a rule.
    """
    fields = Fields(entry)
    name = fields.need("name", "give the name that known_from uses, such as patients")
    column = fields.need("column", "name its column of the patients' numbers")
    kind = fields.need("kind", "give nhs_number, or a local kind, mrn@RXH")
    known = fields.need("known", "name its columns of known identifiers by kind")
    fields.close()
    rule = PatientTableRule(
        name=name.text(longest=LONGEST_NAME),
        column=column.text(longest=LONGEST_NAME),
        kind=read_kind(kind),
        known=read_known(known),
    )
    if len(set(rule.columns)) < len(rule.columns):
        known.refuse("it lists the column of the patients' numbers; that is known")
    return rule


def check_patient_table(
    table: PatientTableRule | None,
    entry: Entry | None,
    *,
    patient_kinds: Iterable[IdentifierKind],
    treatments: Iterable[Treatment],
) -> None:
    """Refuse a patient table that no row could be looked up in, or that nobody asks."""
    if table is None or entry is None:
        return
    if table.kind not in set(patient_kinds):
        entry.refuse("its kind is none of patient's; rows cannot be looked up in it")
    asked = {t.known_from for t in treatments if isinstance(t, RedactText)}
    if table.name not in asked:
        entry.refuse("no column has known_from with its name; add it, or take it out")


def check_text_column(
    treatment: RedactText,
    entry: Entry,
    *,
    name: str,
    names: set[str],
    has_patient: bool,
    shifts_dates: bool,
    table: PatientTableRule | None,
) -> None:
    """Refuse what a text column asks and the rest of the policy does not give."""
    known = {column for columns in treatment.known.values() for column in columns}
    if not known <= names:
        entry.refuse("known names a column that is not among columns")
    if name in known:
        entry.refuse("known names the text itself; take it out")
    if treatment.known_from is not None and (
        table is None or table.name != treatment.known_from
    ):
        entry.refuse("known_from names no patient table: describe it in patient_table")
    if not has_patient and treatment.dates is TextDates.SHIFT:
        entry.refuse("dates move by patient: say under patient whose they are")
    if not has_patient and treatment.replacement is Replacement.SURROGATES:
        entry.refuse("surrogates are drawn by patient: say under patient whose it is")
    if shifts_dates and treatment.dates is TextDates.KEEP:
        entry.refuse(
            "other dates are shifted, and kept ones beside them would tell the "
            "patient's offset: shift or redact these"
        )
