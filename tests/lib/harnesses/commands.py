"""Commands against a running service, as a pipeline would give them."""

from pathlib import Path

from pseudo_service.bootstrap.trust import read_audit_public_key
from pseudo_service.cli.main import run_command
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import PURPOSE


def arguments(
    service: RunningService, folder: Path, source: Path, **more: object
) -> list[str]:
    """Return the arguments of a run of ``cohort@1``; ``more`` are further options."""
    (folder / "token").write_text(service.issue("pipeline:asthma"))
    (folder / "ca.pem").write_bytes(service.root_certificates)
    options = {
        "server": service.address,
        "ca": folder / "ca.pem",
        "token-file": folder / "token",
        "project": "asthma",
        "policy": "cohort@1",
        "purpose": PURPOSE,
        "input": source,
        "output": folder / "released",
        "part-rows": 150,
        **more,
    }
    named = [
        text for key, value in options.items() for text in (f"--{key}", str(value))
    ]
    return ["run", *named]


def verify(service: RunningService, folder: Path) -> int:
    """Verify the folder ``released``; return the exit code."""
    pem = folder / "audit.pem"
    pem.write_bytes(read_audit_public_key(service.config))
    return run_command(
        ["manifest", "verify", str(folder / "released"), "--audit-key", str(pem)]
    )
