"""What earlier versions stored means the same to the code of today.

Each folder ``v*`` holds a deployment that one version made, and what it answered. A
deployment is opened twice: today, and an hour after it was made. Requests and opt-out
lists expire within a month, so what needs them is tried at their own time.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pseudo_client import (
    Client,
    LinkageResult,
    SealedResult,
    Text,
    open_linkage_result,
)
from tests.earlier.cohort import read_rows
from tests.earlier.console import Console, Server, open_server
from tests.earlier.kept import VERSIONS, Kept, unpack
from tests.earlier.make_fixtures import (
    CARE,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    PURPOSE,
    STATED,
    VERDICT,
    open_result,
    read_release,
    run,
    write_texts,
)

PERISHABLE = frozenset({"submitted", "partially_reviewed", "approved"})
PERISHED = ("state", "votes", "hidden_votes")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """A kept deployment and a console on it."""

    kept: Kept
    pseudo: Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A kept deployment, served an hour after it was made."""

    kept: Kept
    server: Server

    def open(self, sealed: SealedResult) -> LinkageResult:
        return open_linkage_result(sealed, self.kept.read_officer_key())


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda path: path.name)
def today(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Today]:
    kept = unpack(request.param, tmp_path_factory.mktemp("today"))
    with Console(kept.folder) as pseudo:
        yield Today(kept=kept, pseudo=pseudo)


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda path: path.name)
def then(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Then]:
    kept = unpack(request.param, tmp_path_factory.mktemp("then"))
    made_at = datetime.fromisoformat(kept.facts["made_at"])
    ahead = made_at + HOUR - datetime.now(UTC)
    with open_server(kept.folder, kept.outside, ahead) as server:
        yield Then(kept=kept, server=server)


def test_there_is_an_earlier_version() -> None:
    assert VERSIONS


def test_the_audit_trail_is_sound_and_goes_on(today: Today) -> None:
    told = today.kept.facts["audit"]
    verdict = today.pseudo.do(
        "audit", "verify", "--audit-key", "audit.pem", "--json"
    ).read_json()
    assert verdict["sound"]
    assert verdict["checkpoints"] >= told["checkpoint"]["number"]
    assert verdict["events"] > sum(sequence for sequence, _ in told["heads"].values())
    lines = today.pseudo.do("audit", "export", "-").out.splitlines()
    found = [json.loads(line) for line in lines]
    events = {
        (event["chain"], event["sequence"]): event["digest"]
        for event in (each["event"] for each in found if "event" in each)
    }
    for chain, (sequence, digest) in told["heads"].items():
        assert events[chain, sequence] == digest
    assert told["checkpoint"] in [each.get("checkpoint") for each in found]


def test_the_audit_key_is_the_same(today: Today) -> None:
    assert today.pseudo.do("audit", "key").out == (
        (today.kept.folder / "audit.pem").read_text()
    )


@pytest.mark.parametrize("name", ["admissions", "admissions-2", "stays"])
def test_a_released_table_is_what_was_signed(today: Today, name: str) -> None:
    told = today.kept.facts["runs"][name]
    released = f"released/{name}"
    verdict = today.pseudo.do(
        "manifest", "verify", released, "--audit-key", "audit.pem", "--json"
    ).read_json()
    assert verdict["sound"]
    assert verdict["rows_out"] == told["totals"]["rows_out"]
    assert verdict["policy"].startswith(f"{told['project']}/{told['policy']}")
    kept = read_rows(today.kept.expected / f"{name}.csv")
    assert read_release(today.kept.folder / released) == kept
    receipt = today.pseudo.do("manifest", "receipt", released, "--json").read_json()
    assert receipt


def test_the_sealed_results_open(today: Today) -> None:
    opened = today.kept.facts["opened"]
    assert set(opened) == {"redeemed", "translated", "located"}
    for name, told in opened.items():
        output = today.kept.outside / f"{name}.json"
        open_result(today.pseudo, f"sealed/{name}.sealed", str(output))
        assert json.loads(output.read_text()) == told


def test_the_key_map_is_what_was_signed(today: Today) -> None:
    today.pseudo.do(
        "key", "verify-map", "maps/versions.csv", "--audit-key", "audit.pem"
    )
    with (today.kept.folder / "maps" / "versions.csv").open() as file:
        pairs = {row["old"]: row["new"] for row in csv.DictReader(file)}
    old = today.kept.read_pseudonyms("asthma", 1)
    new = today.kept.read_pseudonyms("asthma", 2)
    assert pairs.items() >= {old[n]: new[n] for n in list(old)[:6]}.items()


def test_the_register_is_whole(today: Today) -> None:
    verdict = today.pseudo.do("register", "verify", "--json").read_json()
    told = today.kept.facts["register"]
    assert verdict["faults"] == told["faults"] == []
    assert verdict["identities"] >= told["identities"] > 0
    assert verdict["memberships"] >= told["memberships"] > 0


def test_projects_and_policies_are_listed_as_they_were(today: Today) -> None:
    told = today.kept.facts
    listed = today.pseudo.do("project", "list", "--json").read_json()
    assert listed == told["projects"]
    policies = [
        today.pseudo.do("policy", "list", project, "--json").read_json()
        for project in ("asthma", "stroke")
    ]
    assert policies == told["policies"]


def test_requests_are_shown_as_they_were(today: Today) -> None:
    """But for those that have expired, whose votes are no longer hidden."""
    told = today.kept.facts["requests"]
    listed = today.pseudo.do(
        "linkage", "list", "--project", "asthma", "--json", *OFFICER
    ).read_json()
    found = {each["request_id"]: each for each in listed["linkages"]}
    for name, request in told.items():
        shown = found[request["request_id"]]
        expected = {key: request[key] for key in shown}
        if name in PERISHABLE and shown["state"] == "expired":
            assert count_votes(shown) == count_votes(request)
            expected |= {key: shown[key] for key in PERISHED}
        assert shown == expected


def count_votes(request: dict[str, Any]) -> int:
    return len(request["votes"]) + int(request["hidden_votes"])


def test_the_evidence_can_be_made_for_the_earlier_time(today: Today) -> None:
    made = datetime.fromisoformat(today.kept.facts["made_at"])
    output = today.kept.outside / "evidence"
    today.pseudo.do(
        "audit", "evidence", "--project", "asthma", "--from", f"{made:%Y-%m-%d}",
        "--to", f"{made:%Y-%m-%d}", "--output", output,
    )  # fmt: skip
    kept = today.kept.folder / "evidence"
    assert {path.name for path in kept.iterdir()} <= {
        path.name for path in output.iterdir()
    }


def test_the_same_table_gets_the_same_answer(today: Today) -> None:
    output = str(today.kept.outside / "stays")
    totals = run(today.pseudo, "stroke", "episodes@1", "stays", output)
    told = today.kept.facts["runs"]["stays"]["totals"]
    assert totals == {**told, "output": output}
    kept = read_rows(today.kept.expected / "stays.csv")
    assert leave_out_notes(read_release(Path(output))) == leave_out_notes(kept)


def leave_out_notes(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Leave out what a better search for identifiers may one day change."""
    return [{k: v for k, v in row.items() if k != "note"} for row in rows]


def test_whom_the_earlier_version_released_is_brought_back(today: Today) -> None:
    """By pseudonyms of the key version in force, and of the one before."""
    told = [today.kept.read_pseudonyms("asthma", version) for version in (1, 2)]
    numbers = [list(each)[4 + at] for at, each in enumerate(told)]
    wanted = [each[number] for each, number in zip(told, numbers, strict=True)]
    file = today.kept.outside / "wanted.txt"
    file.write_text("\n".join(wanted))
    pseudo = today.pseudo
    request = pseudo.do(
        "linkage", "submit", file, "--project", "asthma", *STATED, *CARE, *OFFICER,
        "--json",
    ).read_json()["request_id"]  # fmt: skip
    for reviewer in (GUARDIAN, COLLEAGUE):
        pseudo.do("linkage", "review", request, "--approve", *VERDICT, *reviewer)
    sealed = today.kept.outside / "again.sealed"
    pseudo.do("linkage", "redeem", request, "--output", sealed, *OFFICER)
    output = sealed.with_suffix(".json")
    open_result(pseudo, str(sealed), str(output))
    rows = json.loads(output.read_text())["rows"]
    found = {row["subject"]: row["identifier"] for row in rows}
    assert found == dict(zip(wanted, numbers, strict=True))


def test_the_server_believes_that_it_is_its_own_time(then: Then) -> None:
    made_at = datetime.fromisoformat(then.kept.facts["made_at"])
    checkpoint = then.server.connect("auditor", "auditor").checkpoint_audit()
    assert HOUR < checkpoint.at - made_at < 2 * HOUR


@pytest.mark.parametrize(("project", "version"), [("asthma", 2), ("stroke", 1)])
def test_the_same_numbers_get_the_same_pseudonyms(
    then: Then, project: str, version: int
) -> None:
    told = then.kept.read_pseudonyms(project, version)
    client = then.server.connect("loader", f"pipeline:{project}")
    results = client.pseudonymise(
        told, kind="nhs_number", project=project, purpose=PURPOSE
    )
    assert [each.pseudonym or "" for each in results] == list(told.values())
    checked = then.server.connect("reader", f"researcher:{project}").check_pseudonyms(
        project, filter(None, told.values())
    )
    assert {(each.outcome, each.key_version) for each in checked} == {("OK", version)}


def test_the_same_texts_get_the_same_surrogates_and_dates(then: Then) -> None:
    told = then.kept.facts["texts"]
    answered = then.server.connect("loader", "pipeline:asthma").redact_text(
        [Text(text=each["text"], patient=each["patient"]) for each in told],
        project="asthma", policy="admissions@2", column="note", purpose=PURPOSE,
    )  # fmt: skip
    assert [each.text for each in answered.texts] == [each["redacted"] for each in told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What the table of the earlier version gets now, at its own time."""

    rows: list[dict[str, str]]
    pins: dict[str, Any]


@pytest.fixture(scope="module")
def again(then: Then) -> Again:
    source = read_rows(then.kept.folder / "input" / "admissions.csv")
    table = [{name: value or None for name, value in row.items()} for row in source]
    answer = then.server.connect("loader", "pipeline:asthma").deidentify(
        pa.Table.from_pylist(table),
        project="asthma",
        policy="admissions@2",
        purpose=PURPOSE,
    )
    rows = write_texts(answer.read_all().to_pylist())
    return Again(rows=rows, pins=answer.pins.to_statement())


def test_the_same_table_gets_the_same_answer_at_its_own_time(
    then: Then, again: Again
) -> None:
    """Under the stored opt-out list, alias table and keys, in a rotation's overlap."""
    told = read_rows(then.kept.expected / "admissions-2.csv")
    assert leave_out_notes(again.rows) == leave_out_notes(told)
    before = read_rows(then.kept.expected / "admissions.csv")
    former = {row["row"]: row["patient"] for row in before}
    beside = {row["row"]: row["patient_before"] for row in again.rows}
    assert beside.items() <= former.items()


def test_the_same_notes_get_the_same_answer(then: Then, again: Again) -> None:
    """May change with the search for identifiers, and with nothing else."""
    told = read_rows(then.kept.expected / "admissions-2.csv")
    assert [row["note"] for row in again.rows] == [row["note"] for row in told]


def test_the_pins_of_a_run_are_the_same(then: Then, again: Again) -> None:
    """But for the versions of the libraries: the same names and digests of the rest."""
    manifest = then.kept.folder / "released" / "admissions-2" / "manifest.json"
    told = json.loads(manifest.read_text())["pins"]
    assert {**again.pins, "library_versions": told["library_versions"]} == told


def test_who_opted_out_is_recalled_as_before(then: Then) -> None:
    told = (then.kept.folder / "maps" / "recall.csv").read_text().splitlines()[1:]
    found: list[str] = []
    report = connect_officer(then).recall_opt_outs(
        "asthma", purpose="recall of opted-out patients", take=found.extend
    )
    assert found == told != []
    assert not report.unaccounted_operations


def review(then: Then, request: str, person: str, role: str) -> str:
    client = then.server.connect(person, role)
    digest = client.get_linkage(request).linkage.digest
    reviewed = client.review_linkage(
        request, digest=digest, decision="approve", reason="the recall is clinical care"
    )
    return reviewed.state


def connect_officer(then: Then) -> Client:
    return then.server.connect("mara", "linkage_officer:asthma")


@pytest.mark.parametrize(
    ("name", "reviewers"),
    [
        ("approved", ()),
        ("partially_reviewed", (("ravi", "linkage_officer:asthma"),)),
        (
            "submitted",
            (("gwen", "guardian:asthma"), ("ravi", "linkage_officer:asthma")),
        ),
    ],
)
def test_a_request_goes_on_where_it_was(
    then: Then, name: str, reviewers: tuple[tuple[str, str], ...]
) -> None:
    told = then.kept.facts["requests"][name]
    request = told["request_id"]
    officer = connect_officer(then)
    shown = officer.get_linkage(request)
    assert (shown.linkage.state, shown.linkage.digest.hex()) == (name, told["digest"])
    states = [review(then, request, *reviewer) for reviewer in reviewers]
    assert states[-1:] in ([], ["approved"])
    sealed = officer.redeem_linkage(request)
    assert sealed.released_now
    found = {row["subject"]: row["identifier"] for row in then.open(sealed).rows}
    assert found == then.kept.name_people(told["pseudonyms"])


def test_a_kept_result_is_given_again(then: Then) -> None:
    told = then.kept.facts["opened"]["redeemed"]
    sealed = connect_officer(then).redeem_linkage(told["request_id"])
    assert not sealed.released_now
    assert [dict(row) for row in then.open(sealed).rows] == told["rows"]
