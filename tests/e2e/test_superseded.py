"""Superseded and re-issued NHS numbers, over the wire."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pseudo_client import LoadedAliases, OptOuts, Pins, PseudoClientError, Text
from pseudo_service.cli.main import run_command
from tests.e2e.test_opt_outs import APPLIED, load
from tests.lib.harnesses.commands import arguments
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.harnesses.runs import read_output
from tests.lib.services.service import OpenService, RunningService
from tests.lib.services.wire import make_header, refuse_table
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import PURPOSE, make_cohort, make_numbers
from tests.lib.values.notes import write_notes_policy
from tests.lib.values.trail import read_events

OLD, NEW, OLDER, REUSED, OTHER = make_numbers(60_000, 5)
TABLE = {OLDER: OLD, OLD: NEW, REUSED: ""}
SENT = [OLD, NEW, OLDER, REUSED, OTHER]
FOLLOWED, APART = "following", "asthma"


@pytest.fixture
def merged(service: RunningService) -> RunningService:
    """A service with a table, a project that follows merges, and one that does not."""
    service.create_project(FOLLOWED, follows_merges=True)
    load_aliases(service, TABLE)
    return service


def load_aliases(service: RunningService, entries: Mapping[str, str]) -> LoadedAliases:
    pairs = list(entries.items())
    return service.custodian().load_aliases(
        entries=len(pairs), chunks=[pairs[:2], pairs[2:]]
    )


def deidentify(service: RunningService, numbers: list[str], project: str, **options):
    answer = service.pipeline(project).deidentify(
        make_cohort(numbers),
        project=project,
        policy="cohort@1",
        purpose=PURPOSE,
        **options,
    )
    return answer.read_all(), answer.receipt


def read_pins(service: RunningService) -> Pins:
    answer = service.pipeline(FOLLOWED).deidentify(
        make_cohort(SENT), project=FOLLOWED, policy="cohort@1", purpose=PURPOSE
    )
    answer.read_all()
    stated = answer.receipt.read_statement()["pins"]["alias_table"]
    assert stated == answer.pins.alias_table
    return answer.pins


def shift_of(table: pa.Table, row: int):
    sent = make_cohort(SENT)["admitted"][row].as_py().date()
    return table["admitted"][row].as_py().date() - sent


def test_merged_numbers_are_one_person_where_merges_are_followed(
    merged: RunningService,
) -> None:
    following, receipt = deidentify(merged, SENT, FOLLOWED)
    first, second, third, none, other = following["patient"].to_pylist()
    assert first == second == third
    assert none is None
    assert other not in {None, first}
    assert shift_of(following, 0) == shift_of(following, 1) == shift_of(following, 2)
    assert following["admitted"][3].as_py() is None  # of nobody, so by nobody's offset
    assert receipt.columns["nhs_number"] == {"test_range": 4, "reissued": 1}
    with reopen_register(merged.config) as register:
        assert set(register.identities["nhs_number"]) == {NEW, OTHER}

    apart, receipt = deidentify(merged, SENT, APART)
    assert len(set(apart["patient"].to_pylist())) == 5
    assert apart["patient"][3].as_py() is None
    assert receipt.columns["nhs_number"] == {"test_range": 4, "reissued": 1}
    assert receipt.rows_out == 5


def test_reissued_numbers_are_marked_by_position(merged: RunningService) -> None:
    answer = merged.pipeline(FOLLOWED).deidentify(
        make_cohort(SENT), project=FOLLOWED, policy="cohort@1", purpose=PURPOSE
    )
    answer.read_all()
    marked = {(each.column, each.code): list(each.rows) for each in answer.rejected}
    assert marked == {
        ("nhs_number", "reissued"): [3],
        ("admitted", "no_patient"): [3],
        ("born", "no_patient"): [3],
    }


def test_single_identifiers_agree_with_tables(merged: RunningService) -> None:
    table, _ = deidentify(merged, SENT, FOLLOWED)
    results = merged.pipeline(FOLLOWED).pseudonymise(
        SENT, kind="nhs_number", project=FOLLOWED, purpose=PURPOSE
    )
    assert [each.pseudonym for each in results] == table["patient"].to_pylist()
    assert [each.refusal for each in results] == [None, None, None, "reissued", None]
    apart = merged.pipeline(APART).pseudonymise(
        SENT, kind="nhs_number", project=APART, purpose=PURPOSE
    )
    assert len({each.pseudonym for each in apart}) == 5


def test_one_person_is_charged_once(merged: RunningService) -> None:
    merged.create_project("narrow", quota=2, follows_merges=True)
    table, _ = deidentify(merged, SENT, "narrow")
    assert table.num_rows == 5
    merged.create_project("apart", quota=2)
    with pytest.raises(PseudoClientError) as caught:
        deidentify(merged, SENT, "apart")
    assert caught.value.code == "QUOTA_EXCEEDED"


@pytest.mark.parametrize("follows", [True, False], ids=["followed", "apart"])
@pytest.mark.parametrize("listed", [OLD, NEW, OLDER])
def test_who_opted_out_under_one_number_has_under_all(
    listed: str, follows: bool, merged: RunningService
) -> None:
    merged.create_project("kidney", opt_outs=APPLIED, follows_merges=follows)
    load(merged, [listed])
    table, receipt = deidentify(merged, SENT, "kidney")
    assert table.num_rows == 1
    assert receipt.removed == {"opt_out": 3, "uncheckable": 1}
    results = merged.pipeline("kidney").pseudonymise(
        SENT, kind="nhs_number", project="kidney", purpose=PURPOSE
    )
    assert [each.refusal for each in results] == [*["OPTED_OUT"] * 3, "reissued", None]


@pytest.mark.parametrize(
    ("listed", "stay"),
    [
        ([NEW, OTHER], [NEW, OTHER]),
        ([OLD, NEW, OTHER], [OLD, NEW, OTHER]),
        ([OLD, OLDER, OTHER], [OTHER]),
        ([OLD, NEW, OLDER, OTHER, REUSED], [OLD, NEW, OLDER, OTHER]),
    ],
)
def test_an_allow_list_must_name_both_numbers(
    listed: list[str], stay: list[str], merged: RunningService
) -> None:
    merged.create_project("kidney", opt_outs=APPLIED)
    load(merged, listed, kind="allow")
    results = merged.pipeline("kidney").pseudonymise(
        SENT, kind="nhs_number", project="kidney", purpose=PURPOSE
    )
    kept = [n for n, each in zip(SENT, results, strict=True) if each.pseudonym]
    assert sorted(kept) == sorted(stay)
    assert deidentify(merged, SENT, "kidney")[0].num_rows == len(stay)


def test_a_reissued_number_that_opted_out_leaves_whatever_stays_unchecked(
    merged: RunningService,
) -> None:
    lenient = OptOuts(application="applied", legal_basis="x" * 5, uncheckable="keep")
    merged.create_project("kidney", opt_outs=lenient)
    load(merged, [OTHER])
    assert deidentify(merged, SENT, "kidney")[1].removed == {"opt_out": 1}
    load(merged, [REUSED])
    assert deidentify(merged, SENT, "kidney")[1].removed == {"opt_out": 1}


def test_the_table_in_force_is_pinned(merged: RunningService) -> None:
    before = read_pins(merged)
    loaded = load_aliases(merged, {OLD: NEW})
    assert (loaded.merged, loaded.reissued) == (1, 0)
    assert read_pins(merged).alias_table.startswith(f"{loaded.list_id}:")
    with pytest.raises(PseudoClientError) as caught:
        deidentify(merged, SENT, FOLLOWED, expected_pins=before)
    assert caught.value.code == "PINS_CHANGED"
    assert "alias table" in caught.value.message


def test_a_run_resumed_under_another_table_begins_again(
    service: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = make_numbers(61_000, 150), make_numbers(65_000, 150)
    service.create_project(FOLLOWED, quota=200, follows_merges=True)
    pq.write_table(make_cohort([*old, *new]), tmp_path / "extract.parquet")

    def run() -> int:
        source = tmp_path / "extract.parquet"
        asked = arguments(service, tmp_path, source, project=FOLLOWED)
        (tmp_path / "token").write_text(service.issue(f"pipeline:{FOLLOWED}"))
        return run_command(asked)

    assert run() != 0  # the second part is over the quota
    assert "QUOTA_EXCEEDED" in capsys.readouterr().err
    load_aliases(service, dict(zip(old, new, strict=True)))
    service.clock.advance(days=1)
    assert run() == 0
    pseudonyms = read_output(tmp_path / "released")["patient"].to_pylist()
    assert pseudonyms[:150] == pseudonyms[150:]


def test_single_texts_are_of_the_person_who_has_the_number_now(
    open_service: OpenService,
) -> None:
    redactor = WordRedactor()
    service = open_service(overrides={"redactor": redactor})
    service.create_project(FOLLOWED, opt_outs=APPLIED, follows_merges=True)
    service.custodian().register_policy(write_notes_policy(FOLLOWED))
    load_aliases(service, TABLE)
    load(service, [OTHER])
    pseudonym = service.pseudonymise(NEW, FOLLOWED)

    def redact() -> list[tuple[str | None, str | None]]:
        texts = [Text(text=f"was {OLD}", patient=number) for number in SENT]
        answer = service.pipeline(FOLLOWED).redact_text(
            texts,
            project=FOLLOWED,
            policy="notes@1",
            column="note",
            purpose=PURPOSE,
        )
        return [(each.text, each.withheld) for each in answer.texts]

    first, second, third, reused, other = redact()
    assert first == second == third
    assert first[0].startswith(f"was {pseudonym} (")
    rows = [row for row, _ in redactor.asked]
    assert len({(row.shift_days, row.surrogate_key) for row in rows}) == 1
    assert reused == (None, "uncheckable")
    assert other == (None, "opt_out")
    load(service, [OLDER])
    assert [withheld for _, withheld in redact()][:3] == ["opt_out"] * 3


def test_without_a_table_every_number_stands_for_itself(
    service: RunningService,
) -> None:
    service.create_project(FOLLOWED, follows_merges=True)
    table, _ = deidentify(service, SENT, FOLLOWED)
    assert len(set(table["patient"].to_pylist())) == 5
    assert read_pins(service).alias_table == ""


def test_a_table_is_withdrawn_by_an_empty_one(merged: RunningService) -> None:
    merged.custodian().load_aliases(entries=0, chunks=[])
    table, _ = deidentify(merged, SENT, FOLLOWED)
    assert len(set(table["patient"].to_pylist())) == 5


CHANGES = {
    "a chunk": "UPDATE alias_chunks SET sealed = CAST(substr(sealed, 1, 20) || "
    "zeroblob(length(sealed) - 20) AS BLOB)",
    "its digest": "UPDATE alias_tables SET digest = zeroblob(32)",
    "its size": "UPDATE alias_tables SET merged = merged - 1",
    "its chunks are gone": "DELETE FROM alias_chunks",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_was_changed_in_the_database_is_not_used(
    change: str, merged: RunningService
) -> None:
    with closing(sqlite3.connect(merged.state / "pseudo.sqlite")) as database:
        assert database.execute(CHANGES[change]).rowcount == 1
        database.commit()
    refusal = refuse_table(merged, make_header(project=APART), project=APART)
    assert refusal.code == "ALIAS_TABLE_REFUSED"
    assert refusal.status is grpc.StatusCode.INVALID_ARGUMENT
    assert "security officer" in refusal.message
    with pytest.raises(PseudoClientError) as caught:
        merged.pseudonymise(OTHER, APART)
    assert caught.value.code == "ALIAS_TABLE_REFUSED"
    load_aliases(merged, TABLE)
    assert merged.pseudonymise(OTHER, APART)


BAD_TABLES = {
    "it ends early": ({OLD: NEW}, 2, "1 of 2"),
    "it is longer": ({OLD: NEW, OTHER: NEW}, 1, "2 of 1"),
    "a number is invalid": ({OLD: NEW, "9990000000": NEW}, 2, "position 1"),
    "a current number is invalid": ({OLD: "unknown"}, 1, "position 0"),
    "a ring": ({OTHER: NEW, OLD: OLDER, OLDER: OLD}, 3, "position 1"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_leaves_the_one_before(name: str, merged: RunningService) -> None:
    entries, stated, mention = BAD_TABLES[name]
    pin = read_pins(merged).alias_table
    with pytest.raises(PseudoClientError) as caught:
        merged.custodian().load_aliases(entries=stated, chunks=[list(entries.items())])
    assert caught.value.code == "ALIAS_TABLE_REFUSED"
    assert mention in caught.value.message
    assert not any(number in caught.value.message for number in [*entries, OLD, NEW])
    assert read_pins(merged).alias_table == pin


def test_only_custodians_load_tables_and_it_is_on_record(
    merged: RunningService,
) -> None:
    with pytest.raises(PseudoClientError) as caught:
        merged.pipeline(APART).load_aliases(entries=0, chunks=[])
    assert caught.value.code == "ACCESS_DENIED"
    (event,) = read_events(merged.auditor(), "aliases_loaded")
    assert event["details"]["merged"] == 2
    assert event["details"]["reissued"] == 1
    assert not any(number in str(event) for number in SENT)
