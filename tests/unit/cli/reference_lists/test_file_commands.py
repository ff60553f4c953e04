"""Opt-out lists and pseudonym files, as they come from elsewhere."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.console.exit_codes import ExitCode

NUMBERS = ["9990000018", "9990000026", "0012345678"]
LOAD = ("opt-outs", "load")
OPT_OUT = ("--kind", "opt_out")


@pytest.mark.parametrize(
    "text",
    [
        "nhs_number\n" + "\n".join(NUMBERS) + "\n",
        "\n".join(NUMBERS) + "\n",
        "".join(f"{number},\n" for number in NUMBERS),
        "nhs_number\n" + "\n\n".join(f" {number} " for number in NUMBERS) + "\n",
    ],
    ids=["header", "no header", "as MESH returns it", "blanks"],
)
def test_every_number_of_a_list_is_loaded(service, pseudo, tmp_path, text):
    (tmp_path / "list.csv").write_text(text)
    done = pseudo(*LOAD, "list.csv", *OPT_OUT)
    assert done.code == ExitCode.OK, done.err
    assert service.opt_outs == NUMBERS
    assert "Loaded 3 NHS numbers as opt_out list L1" in done.out


@pytest.mark.parametrize(
    "values", [NUMBERS, [int(each) for each in NUMBERS[:2]]], ids=["text", "integers"]
)
def test_parquet_is_read_too(service, pseudo, tmp_path, values):
    pq.write_table(pa.table({"n": values}), tmp_path / "list.parquet")
    done = pseudo(*LOAD, "list.parquet", *OPT_OUT, "--json")
    assert json.loads(done.out)["entries"] == len(values)
    assert service.opt_outs == [str(each) for each in values]


def test_of_several_columns_one_must_be_named(service, pseudo, tmp_path):
    (tmp_path / "list.csv").write_text(f"name,nhs\nHarriet,{NUMBERS[0]}\n")
    refused = pseudo(*LOAD, "list.csv", *OPT_OUT)
    assert refused.code == ExitCode.USAGE
    assert "2 columns" in refused.err
    assert service.connections == []
    pseudo(*LOAD, "list.csv", *OPT_OUT, "--column", "nhs")
    assert service.opt_outs == NUMBERS[:1]


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "broken.parquet"])
def test_a_file_that_cannot_be_read_is_one_line(service, pseudo, tmp_path, name):
    (tmp_path / "broken.parquet").write_text(NUMBERS[0])
    done = pseudo(*LOAD, name, *OPT_OUT)
    assert done.code == ExitCode.USAGE
    assert done.err.count("\n") == 1
    assert NUMBERS[0] not in done.err


PSEUDONYMS = ["7K2M-N1AAAA", "7K2M-N1AAAB", "9Z9Z-N1AAAA"]


def test_right_pseudonyms_are_all_right(service, pseudo, tmp_path):
    service.outcomes = {PSEUDONYMS[0]: "OK"}
    (tmp_path / "cohort.txt").write_text(PSEUDONYMS[0] + "\n\n")
    done = pseudo("pseudonym", "check", "cohort.txt", "--project", "asthma")
    assert done.code == ExitCode.OK
    assert "1 of 1 are pseudonyms of asthma." in done.out
    assert service.roles == [["researcher:asthma"]]


def test_wrong_pseudonyms_are_told_by_line_and_never_repeated(
    service, pseudo, tmp_path
):
    service.outcomes = {PSEUDONYMS[0]: "OK", PSEUDONYMS[2]: "PROJECT_TAG"}
    (tmp_path / "cohort.txt").write_text("\n".join(PSEUDONYMS))
    done = pseudo("pseudonym", "check", "cohort.txt", "--project", "asthma")
    assert done.code == ExitCode.FAULTS_FOUND
    assert "1 of 3" in done.out
    assert "another project's" in done.out
    assert not any(each in done.out + done.err for each in PSEUDONYMS)


def test_json_has_a_line_for_each_pseudonym_and_totals(service, pseudo, tmp_path):
    service.outcomes = {PSEUDONYMS[0]: "OK"}
    (tmp_path / "cohort.txt").write_text("\n".join(PSEUDONYMS[:2]))
    done = pseudo("pseudonym", "check", "cohort.txt", "--project", "asthma", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines == [
        {"line": 1, "outcome": "OK", "key_version": 1},
        {"line": 2, "outcome": "FORM", "key_version": 0},
        {"project": "asthma", "totals": {"FORM": 1, "OK": 1}},
    ]


def test_an_empty_file_is_refused(service, pseudo, tmp_path):
    (tmp_path / "cohort.txt").write_text("\n \n")
    done = pseudo("pseudonym", "check", "cohort.txt", "--project", "asthma")
    assert done.code == ExitCode.USAGE


ALIASES = "superseded,current\n9990000018,9990000026\n,\n 0012345678 ,\n"


def test_a_table_of_superseded_numbers_is_loaded(service, pseudo, tmp_path):
    (tmp_path / "merges.csv").write_text(ALIASES)
    done = pseudo("aliases", "load", "merges.csv")
    assert done.code == ExitCode.OK, done.err
    assert service.aliases == [("9990000018", "9990000026"), ("0012345678", "")]
    assert "A1 is in force: 1 superseded and 1 re-issued" in done.out
    assert service.roles == [["custodian"]]


def test_parquet_holds_one_too(service, pseudo, tmp_path):
    entries = {"current": [9990000026, None], "superseded": [9990000018, 9990000034]}
    pq.write_table(pa.table(entries), tmp_path / "merges.parquet")
    done = pseudo("aliases", "load", "merges.parquet", "--json")
    assert json.loads(done.out) == {"list_id": "A1", "merged": 1, "reissued": 1}
    assert service.aliases == [("9990000018", "9990000026"), ("9990000034", "")]


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("9990000018,9990000026\n", "superseded and current"),
        ("old,new\n9990000018,9990000026\n", "superseded and current"),
        ("superseded,current\n,\n", "pseudo aliases withdraw"),
    ],
    ids=["no header", "other names", "no entries"],
)
def test_a_file_that_is_no_such_table_is_refused(
    service, pseudo, tmp_path, text, mention
):
    (tmp_path / "merges.csv").write_text(text)
    refused = pseudo("aliases", "load", "merges.csv")
    assert refused.code == ExitCode.USAGE
    assert mention in refused.err
    assert "999000" not in refused.err
    assert service.aliases is None


def test_a_table_is_withdrawn(service, pseudo):
    assert pseudo("aliases", "withdraw").code == ExitCode.OK
    assert service.aliases == []
