"""The patient table of a run: read once, cut to what the policy names, sent with each part."""

from collections.abc import Iterator

import pyarrow as pa

from pseudo_client import Client, PatientTable
from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.inputs.readers import TableInput
from pseudo_service.cli.run.state import RunSettings
from pseudo_service.core.errors import name_fields
from pseudo_service.core.policies.policy import parse_policy


def read_patients(
    client: Client, settings: RunSettings, source: TableInput | None
) -> PatientTable | None:
    """Read the columns that the policy's patient table has, and no other.

    Raises:
        PseudoClientError: The policy cannot be had.
        Failure: The policy takes no patient table, or the file lacks a column of it.
    """
    if source is None:
        return None
    stored = client.get_policy(settings.project, settings.policy)
    rule = parse_policy(stored.text).patient_table
    if rule is None:
        msg = f"--patients: policy {stored.address} has no patient_table; leave it out"
        raise Failure(msg)
    missing = [
        (place, name)
        for place, name in enumerate(rule.columns)
        if name not in source.schema.names
    ]
    if missing:
        msg = (
            f"--patients: the file lacks column {name_fields(missing)}, which the "
            f"patient_table of policy {stored.address} names"
        )
        raise Failure(msg)
    return PatientTable.read(_Selected(source, list(rule.columns)))


class _Selected:
    """Some columns of an input, as the client takes a table."""

    def __init__(self, source: TableInput, columns: list[str]) -> None:
        self._source = source
        self._columns = columns
        self.schema = pa.schema([source.schema.field(name) for name in columns])

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        return (batch.select(self._columns) for batch in self._source.batches())
