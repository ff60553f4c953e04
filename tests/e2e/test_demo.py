"""``pseudo demo`` as a stranger runs it: a process, its server, and what it leaves."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
NHS_NUMBER = re.compile(r"999[ \-]?\d{3}[ \-]?\d{4}")
DIGEST = re.compile(r"[0-9a-f]{16,}")
"""Ids and digests, in which ten digits of any kind come by chance."""


def _start(*arguments):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "clients" / "python")])
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pseudo_service.cli", "demo", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        # A shell that runs the tests in the background has SIGINT ignored.
        preexec_fn=lambda: signal.signal(  # noqa: PLW1509 - no threads are running
            signal.SIGINT, signal.SIG_DFL
        ),
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    process = _start(
        "--output", folder, "--patients", 400, "--admissions", 3000, "--keep"
    )
    text, _ = process.communicate(timeout=120)
    return process.returncode, text, folder


def test_the_demo_holds_and_says_so(told):
    code, text, _ = told
    assert code == 0, text
    for promise in (
        "another project's [PROJECT_TAG]",
        "[COLUMN_UNLISTED]",
        "[ACCESS_DENIED]",
        "A copy with one changed cell is found out",
        "The audit trail is sound.",
        "Everything that was started has stopped",
        "Texts: 3 ok.",
        "[REVIEW_REFUSED]",
        "[REQUEST_STATE]",
        "[REQUEST_UNKNOWN]",
        "sees 0 votes and that 1 is hidden",
        "These are the numbers of the extract.",
    ):
        assert promise in text


def test_notes_are_told_with_pseudonyms_and_without_who_it_was(told):
    _, text, _ = told
    notes = " ".join(text.split("6 of 9.")[1].split("7 of 9.")[0].split())
    patients = re.findall(r"patient (\S{34}) before", notes)
    afters = re.findall(r"after (.*?)(?= patient |Texts:)", notes)
    assert len(patients) == len(afters) == 3
    assert patients[0] in afters[0]
    assert patients[1] in afters[1]
    for after in afters:
        assert not NHS_NUMBER.search(after)
        assert not [name for name in ("Whitfield", "Okafor") if name in after]
    # Any date may be moved onto another of the notes: only its own place tells.
    assert "seen in clinic on 14/03/2024" not in afters[0]
    assert "Parkinson's disease unchanged" in afters[1]


def test_patients_are_named_to_the_officer_and_translated_without_a_name(told):
    _, text, folder = told
    act = text.split("8 of 9.")[1].split("9 of 9.")[0]
    found = re.findall(r"^(\S{34})\s+found\s+(\d{10})$", act, re.MULTILINE)
    assert len(found) == 3
    assert len(re.findall(r"^\S{34}\s+unknown$", act, re.MULTILINE)) == 1
    extract = (folder / "extract" / "patients.csv").read_text()
    assert all(number in extract for _, number in found)
    translated = dict(re.findall(r"^(\S{34})  (\S{34})$", act, re.MULTILINE))
    assert set(translated) == {pseudonym for pseudonym, _ in found}
    assert NHS_NUMBER.findall(act) == [number for _, number in found]


def test_it_reads_plainly_on_80_columns(told):
    _, text, _ = told
    assert "\x1b" not in text
    copied = ("  answer", "folder ", "  pseudo project")
    wide = [
        line
        for line in text.splitlines()
        if len(line) > 80 and not line.startswith(copied)
    ]
    assert wide == []


def find_number(content: bytes) -> re.Match[str] | None:
    return NHS_NUMBER.search(DIGEST.sub("", content.decode("latin-1")))


def test_what_was_released_names_nobody(told):
    _, _, folder = told
    manifests = list(folder.glob("released/*/*/manifest.json"))
    assert len(manifests) == 4
    for path in folder.glob("released/**/*"):
        if path.is_file():
            assert not find_number(path.read_bytes()), path
    assert not find_number((folder / "service.log").read_bytes())
    assert find_number(b"0123456789abcdef 999 000 0018")


def test_the_same_patient_is_unlinkable_in_the_other_project(told):
    _, text, _ = told
    found = re.findall(
        r"^(?:asthma-outcomes|heart-failure)\s+(\S{34})$", text, re.MULTILINE
    )
    one, other = found
    assert one != other
    assert one[:4] != other[:4]
    assert one[6:] != other[6:]


def test_with_keep_one_can_go_on(told):
    _, _, folder = told
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "clients" / "python")])
    }
    done = subprocess.run(
        [
            sys.executable, "-m", "pseudo_service.cli", "project", "list", "--json",
            "--config", folder / "pseudo.yaml",
        ],
        capture_output=True, text=True, env=environment, timeout=60, check=True,
    )  # fmt: skip
    listed = json.loads(done.stdout)["projects"]
    assert {each["project"] for each in listed} == {"asthma-outcomes", "heart-failure"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_running(tmp_path, number):
    folder = tmp_path / "out"
    process = _start("--output", folder)
    for line in process.stdout:
        if line.startswith("1 of 9"):
            break
    servers = psutil.Process(process.pid).children(recursive=True)
    assert servers
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "interrupted" in rest
    assert "Traceback" not in rest
    assert not any(each.is_running() for each in servers)
    assert not (folder / "state").exists()
