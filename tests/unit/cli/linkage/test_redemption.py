"""``pseudo linkage keygen``, ``redeem`` and ``open``: keys, and what they open."""

import csv
import json
import stat
from pathlib import Path

import pytest

from pseudo_client import open_linkage_result
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.linkage import officer_keys
from pseudo_service.cli.linkage.officer_keys import read_private, write_fingerprint
from pseudo_service.cli.linkage.redemption import read_sealed
from pseudo_service.cli.linkage.requests import redemption
from tests.lib.harnesses.linkage_commands import NUMBER, STATED, Run, half
from tests.lib.services.fake_desk import PSEUDONYMS, RunningDesk
from tests.lib.values.foreign_keys import UNKNOWN_KIND
from tests.lib.values.linkage_requests import replace_request

# Keys


def test_a_key_pair_is_made_for_its_owner_only(pseudo: Run, keys: Path) -> None:
    for which in ("private", "public"):
        assert stat.S_IMODE(half(keys, which).stat().st_mode) == 0o600
    raw = read_private(half(keys, "private"), None).public_key().public_bytes_raw()
    again = pseudo("linkage", "keygen", keys)
    assert again.code == ExitCode.USAGE
    assert "is there already" in again.err
    assert read_private(
        half(keys, "private"), None
    ).public_key().public_bytes_raw() == (raw)


@pytest.mark.parametrize("which", ["private", "public"])
def test_a_key_that_appears_meanwhile_is_not_written_over(
    pseudo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    taken = half(tmp_path / "new", which)

    def read_slowly(_: Path | None) -> None:
        taken.write_text("another's")  # while the command is about to write

    monkeypatch.setattr(officer_keys, "read_passphrase", read_slowly)
    done = pseudo("linkage", "keygen", tmp_path / "new")
    assert done.code == ExitCode.USAGE
    assert f"{taken} is there already" in done.err
    assert taken.read_text() == "another's"
    assert list(tmp_path.iterdir()) == [taken]


def test_the_fingerprint_is_shown_and_short_enough_to_read_aloud(
    pseudo: Run, tmp_path: Path
) -> None:
    done = pseudo("linkage", "keygen", tmp_path / "new")
    raw = read_private(half(tmp_path / "new", "private"), None).public_key()
    fingerprint = write_fingerprint(raw.public_bytes_raw())
    assert fingerprint in done.out
    assert len(fingerprint.split()) == 8
    assert "no passphrase" in done.out


def test_a_passphrase_is_asked_of_the_key(pseudo: Run, tmp_path: Path, linkage: Run):
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    name = tmp_path / "locked"
    assert (
        pseudo("linkage", "keygen", name, "--passphrase-file", secret).code
        == ExitCode.OK
    )
    private = half(name, "private")
    assert b"ENCRYPTED" in private.read_bytes()
    read_private(private, secret)
    (tmp_path / "wrong").write_text("incorrect horse\n")
    sealed = tmp_path / "result.sealed"
    assert linkage("redeem", "3f0c", "--output", sealed).code == ExitCode.OK
    for more, says in (
        ((), "has a passphrase"),
        (("--passphrase-file", tmp_path / "wrong"), "passphrase is right"),
    ):
        done = pseudo("linkage", "open", sealed, "--key", private, "--show", *more)
        assert done.code == ExitCode.USAGE
        assert says in done.err
        assert "horse" not in done.err


def test_a_key_of_a_kind_that_nobody_knows_does_not_open(tmp_path: Path) -> None:
    file = tmp_path / "foreign.private.pem"
    file.write_bytes(UNKNOWN_KIND)
    with pytest.raises(Failure, match="does not open"):
        read_private(file, None)


@pytest.mark.parametrize("wrong", ["private", "text"])
def test_only_a_public_key_is_sent(
    linkage: Run, keys: Path, cohort: Path, wrong: str, running: RunningDesk
) -> None:
    file = half(keys, "private") if wrong == "private" else cohort
    done = linkage("submit", cohort, "--project", "asthma", "--key", file, *STATED)
    assert done.code == ExitCode.USAGE
    assert "public.pem" in done.err
    assert running.desk.asked == []


# The result


def test_a_result_is_redeemed_and_opened(
    linkage: Run, pseudo: Run, running: RunningDesk, keys: Path, tmp_path: Path
) -> None:
    key = read_private(half(keys, "private"), None)
    running.desk.request = replace_request(
        running.desk.request, recipient_key=key.public_key().public_bytes_raw()
    )
    sealed = tmp_path / "recall.sealed"
    done = linkage("redeem", "3f0c", "--output", sealed)
    assert done.code == ExitCode.OK, done.err
    assert "Released, once." in done.out
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert NUMBER not in sealed.read_text()
    assert open_linkage_result(read_sealed(sealed), key).rows[0]["identifier"] == NUMBER

    opened = tmp_path / "recall.csv"
    done = pseudo(
        "linkage", "open", sealed, "--key", half(keys, "private"), "--output", opened
    )
    assert done.code == ExitCode.OK, done.err
    assert "2 rows: 1 found, 1 unknown." in done.out
    assert NUMBER not in done.out + done.err
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    rows = list(csv.DictReader(opened.read_text().splitlines()))
    assert rows == [
        {
            "subject": PSEUDONYMS[0],
            "outcome": "found",
            "kind": "nhs_number",
            "identifier": NUMBER,
        },
        {"subject": PSEUDONYMS[1], "outcome": "unknown", "kind": "", "identifier": ""},
    ]
    whole = tmp_path / "recall.json"
    pseudo("linkage", "open", sealed, "--key", half(keys, "private"), "--output", whole)
    assert json.loads(whole.read_text())["rows"][0]["identifier"] == NUMBER


def test_nothing_is_written_over(
    linkage: Run, pseudo: Run, running: RunningDesk, keys: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    for done in (
        linkage("redeem", "3f0c", "--output", taken),
        pseudo(
            "linkage", "open", taken, "--key", half(keys, "private"), "--output", taken
        ),
    ):
        assert done.code == ExitCode.USAGE
        assert "is there already" in done.err
    assert taken.read_text() == "mine"
    assert running.desk.asked == []


def test_a_file_that_appears_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    taken = tmp_path / "recall.csv"
    taken.write_text("mine")
    (tmp_path / ".recall.csv.abcd1234.tmp").write_text(NUMBER)  # of a killed command
    with pytest.raises(Failure, match="is there already"):
        redemption.save(taken, b"others")
    assert taken.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["recall.csv"]


def test_a_fetched_result_says_so(
    linkage: Run, running: RunningDesk, tmp_path: Path
) -> None:
    running.desk.lie = {"released_now": False}
    done = linkage("redeem", "3f0c", "--output", tmp_path / "again.sealed")
    assert "The kept result, once more." in done.out


def test_identifiers_do_not_appear_on_a_screen_unasked(  # noqa: PLR0917
    linkage: Run,
    pseudo: Run,
    running: RunningDesk,
    keys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = read_private(half(keys, "private"), None).public_key().public_bytes_raw()
    running.desk.request = replace_request(running.desk.request, recipient_key=key)
    sealed = tmp_path / "recall.sealed"
    linkage("redeem", "3f0c", "--output", sealed)
    command = ("linkage", "open", sealed, "--key", half(keys, "private"))
    assert NUMBER in pseudo(*command).out  # a pipe: somebody reads it
    monkeypatch.setattr(redemption, "is_screen", lambda: True)
    done = pseudo(*command)
    assert done.code == ExitCode.USAGE
    assert "--show" in done.err
    assert NUMBER not in done.out
    assert NUMBER in pseudo(*command, "--show").out


def test_another_key_opens_nothing(
    linkage: Run, pseudo: Run, keys: Path, tmp_path: Path
) -> None:
    sealed = tmp_path / "recall.sealed"
    linkage("redeem", "3f0c", "--output", sealed)  # sealed to the desk's own key
    done = pseudo("linkage", "open", sealed, "--key", half(keys, "private"), "--show")
    assert done.code == ExitCode.FAULTS_FOUND
    assert "another private key" in done.err
    assert done.out == ""


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}', "[1]", "not json"])
def test_what_is_no_sealed_result_is_told(
    pseudo: Run, keys: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "other"
    file.write_text(text)
    done = pseudo("linkage", "open", file, "--key", half(keys, "private"), "--show")
    assert done.code == ExitCode.USAGE
    assert "redeem again" in done.err


def test_a_result_has_a_form(pseudo: Run, keys: Path, tmp_path: Path) -> None:
    done = pseudo(
        "linkage", "open", tmp_path / "x", "--key", half(keys, "private"),
        "--output", tmp_path / "recall.xlsx",
    )  # fmt: skip
    assert done.code == ExitCode.USAGE
    assert ".csv or .json" in done.err
