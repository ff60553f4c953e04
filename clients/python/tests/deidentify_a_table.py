"""De-identifies a table as a program with the client installed does; it is no test.

    python -W error deidentify_a_table.py ADDRESS CA_FILE TOKEN PROJECT POLICY IN OUT

IN and OUT are Arrow streams in files. A table with a column that the policy does not
list must be refused, by its code.
"""

import sys
from pathlib import Path

import pyarrow as pa

from pseudo_client import Client, ServiceError


def main() -> None:
    address, authority, token, project, policy, source, target = sys.argv[1:]
    wanted = {"project": project, "policy": policy, "purpose": "service evaluation"}
    with Client(
        address, token=token, root_certificates=Path(authority).read_bytes()
    ) as client:
        with (
            pa.ipc.open_stream(source) as reader,
            client.deidentify(reader, **wanted) as table,
            pa.ipc.new_stream(target, table.schema) as writer,
        ):
            for batch in table:
                writer.write_batch(batch)
        assert table.receipt.rows_out == table.receipt.rows_in
        assert refuse(client, wanted) == "COLUMN_UNLISTED"


def refuse(client: Client, wanted: dict[str, str]) -> str:
    """Return the code that says why a column without a rule does not come back."""
    try:
        client.deidentify(pa.table({"unlisted": [1]}), **wanted).read_all()
    except ServiceError as refusal:
        return refusal.code
    return "it came back"


if __name__ == "__main__":
    main()
