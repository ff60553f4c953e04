"""Serves a small table to clients in other environments; the answers must agree.

    PYTHONPATH=. python .ci/deidentify_elsewhere.py PYTHON...

Each PYTHON is the interpreter of an environment where pseudo-client is installed. What
they answer is compared with the answer to the client of this environment.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from tests.lib.services.service import (
    POLICY,
    RunningService,
    choose_config,
    run_service,
)
from tests.lib.values.cohort import make_cohort, make_numbers

CLIENT = Path(__file__).parents[1] / "clients/python/tests/deidentify_a_table.py"
ROWS = 500
PATIENCE = 60.0


def main(pythons: list[str]) -> int:
    """Return 0 if every client received what the client of this environment did."""
    cohort = make_cohort(make_numbers(1, ROWS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pa.ipc.new_stream(folder / "cohort.arrow", cohort.schema) as writer:
            writer.write_table(cohort)
        with run_service(choose_config(folder / "state")) as service:
            service.create_project("asthma")
            (folder / "ca.pem").write_bytes(service.root_certificates)
            expected = service.deidentify(cohort)
            agree = [
                ask(python, service, folder).equals(expected) for python in pythons
            ]
    for python, agrees in zip(pythons, agree, strict=True):
        print(f"{python}: {ROWS} rows, {'the same' if agrees else 'NOT THE SAME'}")
    return int(not all(agree))


def ask(python: str, service: RunningService, folder: Path) -> pa.Table:
    """Return what a client of another environment received for the cohort."""
    order = [
        service.address,
        str(folder / "ca.pem"),
        service.issue("pipeline:asthma"),
        "asthma",
        POLICY,
        str(folder / "cohort.arrow"),
        str(folder / "answer.arrow"),
    ]
    # -I: the client that is installed there, and nothing of this tree.
    command = [python, "-I", "-W", "error", str(CLIENT), *order]
    subprocess.run(command, check=True, timeout=PATIENCE)
    with pa.ipc.open_stream(folder / "answer.arrow") as reader:
        return reader.read_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
