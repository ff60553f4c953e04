"""Makes the files of one version that later versions must still open.

Run it once by hand, with the code of a release and before anything changes:

    PYTHONPATH=.:clients/python python -m tests.earlier.make_fixtures v0_1

It drives a laptop deployment through the command ``pseudo`` and the client, packs the
deployment into ``tests/earlier/VERSION/deployment.tar.gz`` and writes beside it what
the deployment answered. ``test_opens_earlier_files.py`` tries each folder whose name
begins with ``v``. Nothing here is secret or about a person: the keys are thrown away,
the numbers are of the 999 range, the names are invented.
"""

import gzip
import io
import json
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pseudo_client import Text
from tests.earlier.cohort import (
    ALIASES,
    ASTHMA,
    ASTHMA_AGAIN,
    EPISODES,
    FIRST_OPT_OUTS,
    NUMBERS,
    SECOND_OPT_OUTS,
    make_admissions,
    make_stays,
    write_numbers,
    write_rows,
)
from tests.earlier.console import Console, Server, open_server

HERE = Path(__file__).parent
ARCHIVE = "deployment.tar.gz"
PURPOSE = "asthma outcomes study"
PASSPHRASE = "thrown away: this key protects nothing"
LABEL = f"""\
The key pair and every other key in this folder were made for a test and are published
with it. They protect nothing. The officer's passphrase is:
{PASSPHRASE}
"""
OFFICER = ("--as", "mara", "--role", "linkage_officer:asthma")
BOTH = (*OFFICER, "--role", "linkage_officer:stroke")
GUARDIAN = ("--as", "gwen", "--role", "guardian:asthma")
COLLEAGUE = ("--as", "ravi", "--role", "linkage_officer:asthma")
NEIGHBOUR = ("--as", "noor", "--role", "guardian:stroke")
STATED = (
    "--key", "keys/officer.public.pem", "--purpose", "recall after an alert",
    "--consent", "letter of 3 March", "--valid-hours", 720,
)  # fmt: skip
RUNS = {
    "admissions": ("asthma", "admissions@1", "admissions"),
    "stays": ("stroke", "episodes@1", "stays"),
    "admissions-2": ("asthma", "admissions@2", "admissions"),
}
CARE = ("--legal-basis", "direct_care")
VERDICT = ("--yes", "--reason", "the recall is clinical care")


def make(version: str) -> None:
    """Make the folder of one version; there must be none yet."""
    kept = HERE / version
    kept.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        folder, outside = Path(scratch, "deployment"), Path(scratch, "outside")
        folder.mkdir()
        outside.mkdir()
        facts = drive(folder, outside, kept)
        fold_database(folder / "state" / "pseudo.sqlite")
        (kept / ARCHIVE).write_bytes(pack(folder))
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (kept / "facts.json").write_text(text)


def drive(folder: Path, outside: Path, kept: Path) -> dict[str, Any]:
    """Make a deployment and use it; return what it answered."""
    runs = {}
    with Console(folder) as pseudo:
        prepare(pseudo, folder)
        for name in ("admissions", "stays"):
            runs[name] = release(pseudo, name, kept)
    with open_server(folder, outside) as server:
        rows = list_pseudonyms(server, 1)
    with Console(folder) as pseudo:
        rotate(pseudo)
        runs["admissions-2"] = release(pseudo, "admissions-2", kept)
    with open_server(folder, outside) as server:
        rows += list_pseudonyms(server, 2)
        texts = redact(server)
    write_rows(kept / "pseudonyms.csv", rows)
    with Console(folder) as pseudo:
        requests = link(pseudo, folder, rows)
        opened = open_results(pseudo, folder)
        facts = {"runs": runs, "texts": texts, "requests": requests, "opened": opened}
        return {**facts, **look(pseudo)}


def prepare(pseudo: Console, folder: Path) -> None:
    """Make the deployment with its projects, lists, policies and the officer's key."""
    pseudo.do("init")
    config = folder / "pseudo.yaml"
    text = config.read_text()
    assert "modes: []" in text
    config.write_text(text.replace("modes: []", "modes: [thorough]"))
    for name in ("input", "keys", "policies", "maps", "sealed"):
        (folder / name).mkdir()
    (folder / "keys" / "THROWN-AWAY.txt").write_text(LABEL)
    (folder / "keys" / "passphrase.txt").write_text(PASSPHRASE + "\n")
    pseudo.do(
        "linkage", "keygen", "keys/officer",
        "--passphrase-file", "keys/passphrase.txt",
    )  # fmt: skip
    pseudo.do(
        "project", "create", "asthma", "--title", "Asthma outcomes",
        "--opt-outs", "applied", "--legal-basis", "section 251 support",
        "--uncheckable", "keep", "--follow-merges",
    )  # fmt: skip
    pseudo.do(
        "project", "create", "stroke", "--title", "Stroke audit",
        "--opt-outs", "not_applicable", "--legal-basis", "direct care audit",
        "--shift-unit", "days", "--shift-bound", 90, "--shift-direction", "both",
    )  # fmt: skip
    write_rows(folder / "input" / "admissions.csv", make_admissions())
    write_rows(folder / "input" / "stays.csv", make_stays())
    write_rows(folder / "input" / "superseded.csv", ALIASES)
    write_numbers(folder / "input" / "opt-outs-1.csv", FIRST_OPT_OUTS)
    write_numbers(folder / "input" / "opt-outs-2.csv", SECOND_OPT_OUTS)
    pseudo.do("aliases", "load", "input/superseded.csv")
    load_opt_outs(pseudo, 1)
    for name, policy in (
        ("admissions-1", ASTHMA),
        ("admissions-2", ASTHMA_AGAIN),
        ("episodes-1", EPISODES),
    ):
        (folder / "policies" / f"{name}.yaml").write_text(policy)
        pseudo.do("policy", "register", f"policies/{name}.yaml")
    (folder / "audit.pem").write_text(pseudo.do("audit", "key").out)


def load_opt_outs(pseudo: Console, number: int) -> None:
    """Put a list in force for as long as the product allows."""
    pseudo.do(
        "opt-outs", "load", f"input/opt-outs-{number}.csv",
        "--kind", "opt_out", "--expires-in-days", 31,
    )  # fmt: skip


def release(pseudo: Console, name: str, kept: Path) -> dict[str, Any]:
    """Run a table, keep what left, and return what was told."""
    project, policy, source = RUNS[name]
    output = f"released/{name}"
    totals = run(pseudo, project, policy, source, output)
    write_rows(kept / f"{name}.csv", read_release(pseudo.folder / output))
    return {"project": project, "policy": policy, "totals": totals}


def run(
    pseudo: Console, project: str, policy: str, source: str, output: str
) -> dict[str, Any]:
    """Run a table of the deployment; return the totals."""
    answer: dict[str, Any] = pseudo.do(
        "run", "--project", project, "--policy", policy, "--purpose", PURPOSE,
        "--input", f"input/{source}.csv", "--output", output,
        "--part-rows", 30, "--json",
    ).read_json()  # fmt: skip
    return answer


def read_release(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a run's parts as texts."""
    parts = sorted(folder.glob("part-*.parquet"))
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    assert rows
    return write_texts(rows)


def write_texts(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rows with every value as text, nulls as ``NULL``."""
    return [
        {name: "NULL" if value is None else str(value) for name, value in row.items()}
        for row in rows
    ]


def rotate(pseudo: Console) -> None:
    """Take the next opt-out list and the next key, and tell who is concerned."""
    load_opt_outs(pseudo, 2)
    pseudo.do(
        "opt-outs", "recall", "--project", "asthma", "--output", "maps/recall.csv"
    )
    pseudo.do(
        "key", "rotate", "asthma", "--current-version", 1, "--overlap-days", 366,
        "--reason", "yearly rotation",
    )  # fmt: skip


def list_pseudonyms(server: Server, version: int) -> list[dict[str, str]]:
    """Return every patient's pseudonym in both projects, by unary calls."""
    found = []
    for project in ("asthma", "stroke") if version == 1 else ("asthma",):
        client = server.connect("loader", f"pipeline:{project}")
        results = client.pseudonymise(
            NUMBERS, kind="nhs_number", project=project, purpose=PURPOSE
        )
        found += [
            {
                "project": project,
                "key_version": str(version),
                "number": number,
                "pseudonym": each.pseudonym or "",
                "refusal": each.refusal or "",
            }
            for number, each in zip(NUMBERS, results, strict=True)
        ]
    return found


def redact(server: Server) -> list[dict[str, str]]:
    """Return notes of the input as a unary call answers them."""
    client = server.connect("loader", "pipeline:asthma")
    rows = [row for row in make_admissions() if row["note"]][:5]
    answered = client.redact_text(
        [Text(text=row["note"], patient=row["nhs_number"]) for row in rows],
        project="asthma", policy="admissions@2", column="note", purpose=PURPOSE,
    )  # fmt: skip
    return [
        {"patient": row["nhs_number"], "text": row["note"], "redacted": each.text or ""}
        for row, each in zip(rows, answered.texts, strict=True)
    ]


def link(
    pseudo: Console, folder: Path, rows: list[dict[str, str]]
) -> dict[str, dict[str, Any]]:
    """Bring one request to each state that can be kept, and redeem three."""
    known = [row for row in rows if row["project"] == "asthma" and row["pseudonym"]]
    old = [row["pseudonym"] for row in known if row["key_version"] == "1"]
    new = [row["pseudonym"] for row in known if row["key_version"] == "2"]
    made = {
        "redeemed": submit(pseudo, folder, [*old[:2], new[2]]),
        "translated": submit(pseudo, folder, old[3:5], "--target", "stroke"),
        "located": locate(pseudo, folder),
        "submitted": submit(pseudo, folder, old[5:6]),
        "partially_reviewed": submit(pseudo, folder, new[6:8]),
        "approved": submit(pseudo, folder, [old[8], new[9]]),
    }
    for name in ("redeemed", "located", "partially_reviewed", "approved"):
        approve(pseudo, made[name], GUARDIAN)
    for name in ("redeemed", "located", "approved"):
        approve(pseudo, made[name], COLLEAGUE)
    approve(pseudo, made["translated"], GUARDIAN)
    approve(pseudo, made["translated"], NEIGHBOUR)
    for name, who in (
        ("redeemed", OFFICER),
        ("translated", BOTH),
        ("located", OFFICER),
    ):
        pseudo.do(
            "linkage", "redeem", made[name], "--output", f"sealed/{name}.sealed", *who
        )
    return {name: show_request(pseudo, request) for name, request in made.items()}


def submit(pseudo: Console, folder: Path, asked: list[str], *target: str) -> str:
    """Ask for the people or, with a target, for their pseudonyms there."""
    (folder / "input" / "wanted.txt").write_text("\n".join(asked) + "\n")
    command = ("translate", *target) if target else ("submit",)
    answer = pseudo.do(
        "linkage", command[0], "input/wanted.txt", *command[1:], "--project", "asthma",
        *STATED, *CARE, *(BOTH if target else OFFICER), "--json",
    )  # fmt: skip
    return str(answer.read_json()["request_id"])


def locate(pseudo: Console, folder: Path) -> str:
    """Ask which projects hold one person."""
    (folder / "input" / "number.txt").write_text(NUMBERS[1] + "\n")
    answer = pseudo.do(
        "linkage", "locate", "--identifier-file", "input/number.txt",
        "--project", "asthma", *STATED, *OFFICER, "--json",
    )  # fmt: skip
    return str(answer.read_json()["request_id"])


def approve(pseudo: Console, request: str, reviewer: tuple[str, ...]) -> None:
    """Approve as one reviewer."""
    pseudo.do("linkage", "review", request, "--approve", *VERDICT, *reviewer)


def show_request(pseudo: Console, request: str) -> dict[str, Any]:
    """Return a request as its officer is shown it."""
    shown: dict[str, Any] = pseudo.do(
        "linkage", "show", request, *BOTH, "--json"
    ).read_json()
    return shown


def open_results(pseudo: Console, folder: Path) -> dict[str, Any]:
    """Return what the sealed results hold."""
    found = {}
    for sealed in sorted((folder / "sealed").glob("*.sealed")):
        opened = folder / "opened.json"
        open_result(pseudo, f"sealed/{sealed.name}", "opened.json")
        found[sealed.stem] = json.loads(opened.read_text())
        opened.unlink()
    return found


def open_result(pseudo: Console, sealed: str, output: str) -> None:
    """Open a sealed result with the officer's key."""
    pseudo.do(
        "linkage", "open", sealed, "--key", "keys/officer.private.pem",
        "--passphrase-file", "keys/passphrase.txt", "--output", output,
    )  # fmt: skip


def look(pseudo: Console) -> dict[str, Any]:
    """Make the signed map and the evidence, and return what the version says of all."""
    pseudo.do(
        "key", "map", "asthma", "--old", 1, "--new", 2, "--as", "mara",
        "--purpose", "carry the cohort over", "--output", "maps/versions.csv",
    )  # fmt: skip
    today = datetime.now(UTC)
    pseudo.do(
        "audit", "evidence", "--project", "asthma", "--from", f"{today:%Y}-01-01",
        "--to", f"{today:%Y-%m-%d}", "--output", "evidence",
    )  # fmt: skip
    facts = {
        "made_at": today.isoformat(),
        "projects": pseudo.do("project", "list", "--json").read_json(),
        "policies": [
            pseudo.do("policy", "list", project, "--json").read_json()
            for project in ("asthma", "stroke")
        ],
        "register": pseudo.do("register", "verify", "--json").read_json(),
    }
    pseudo.do("audit", "checkpoint")
    facts["audit"] = read_trail(pseudo)
    return facts


def read_trail(pseudo: Console) -> dict[str, Any]:
    """Return the length and the head of each chain, and the last checkpoint."""
    heads: dict[str, Any] = {}
    checkpoints = []
    for line in pseudo.do("audit", "export", "-").out.splitlines():
        told = json.loads(line)
        if event := told.get("event"):
            heads[event["chain"]] = [event["sequence"], event["digest"]]
        else:
            checkpoints.append(told["checkpoint"])
    return {"heads": heads, "checkpoint": checkpoints[-1]}


def fold_database(database: Path) -> None:
    """Take the write-ahead log into the database file."""
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.execute("VACUUM")
    for left in database.parent.glob(f"{database.name}-*"):
        left.unlink()


def pack(folder: Path) -> bytes:
    """Return the folder as an archive without times, owners or names of a machine."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for path in sorted(folder.rglob("*")):
            entry = archive.gettarinfo(path, str(path.relative_to(folder)))
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            if path.is_dir():
                archive.addfile(entry)
                continue
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return packed.getvalue()


if __name__ == "__main__":
    make(sys.argv[1])
