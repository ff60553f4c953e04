"""``pseudo linkage`` against the real servicer over TLS, with a desk in memory."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.linkage.officer_keys import read_private, write_fingerprint
from pseudo_service.cli.linkage.requests import reviews
from pseudo_service.core import errors
from pseudo_service.core.linkage.request import LinkageMode, LinkageState, LinkageVerb
from pseudo_service.engine.linkage.views import OverlapView
from tests.lib.harnesses.linkage_commands import NUMBER, STATED, Run, give_input, half
from tests.lib.services.fake_desk import NOON, PSEUDONYMS, RunningDesk, make_vote
from tests.lib.values.linkage_requests import replace_request

# Asking


def test_a_request_is_submitted_and_told(
    linkage: Run, running: RunningDesk, keys: Path, cohort: Path
) -> None:
    done = linkage(
        "submit", cohort, "--project", "asthma", "--key", half(keys, "public"),
        "--redeemer", "olek", *STATED,
    )  # fmt: skip
    assert done.code == ExitCode.OK, done.err
    submission = running.desk.asked[0][1]["submission"]
    assert submission.terms.verb is LinkageVerb.REIDENTIFY
    assert submission.terms.mode is LinkageMode.ROUTINE
    assert submission.pseudonyms == (*PSEUDONYMS, PSEUDONYMS[0])
    assert submission.terms.redeemer == "olek"
    key = read_private(half(keys, "private"), None).public_key()
    assert submission.terms.recipient_key == key.public_bytes_raw()
    assert "Tell the identifiers behind 2 pseudonyms of asthma." in done.out
    assert "3f0c" in done.out
    assert "2 reviews by others than mara or olek" in " ".join(done.out.split())


def test_an_emergency_is_short(
    linkage: Run, running: RunningDesk, keys: Path, cohort: Path
) -> None:
    asked = ("--project", "asthma", "--key", half(keys, "public"), *STATED)
    for more in ((), ("--break-glass",), ("--valid-hours", "5")):
        assert linkage("submit", cohort, *asked, *more).code == ExitCode.OK
    routine, emergency, chosen = (
        each[1]["submission"] for each in running.desk.asked if each[0] == "submit"
    )
    assert emergency.terms.mode is LinkageMode.BREAK_GLASS
    hours = (
        routine.terms.expires_at - emergency.terms.expires_at
    ).total_seconds() / 3600
    assert 69.9 < hours < 70.1
    hours = (
        chosen.terms.expires_at - emergency.terms.expires_at
    ).total_seconds() / 3600
    assert 2.9 < hours < 3.1


def test_a_mistyped_pseudonym_is_named_by_its_line_and_nothing_is_sent(
    linkage: Run, running: RunningDesk, keys: Path, cohort: Path
) -> None:
    wrong = PSEUDONYMS[0][:-1] + "Z"
    for line, text in ((3, wrong), (1, NUMBER)):
        cohort.write_text("\n" * (line - 1) + text)
        done = linkage(
            "submit", cohort, "--project", "asthma", "--key", half(keys, "public"),
            *STATED,
        )  # fmt: skip
        assert done.code == ExitCode.USAGE
        assert f"line {line}, pseudonym" in done.err
        assert text not in done.err
    assert running.desk.asked == []


def test_a_translation_names_both_projects(
    linkage: Run, running: RunningDesk, keys: Path, cohort: Path
) -> None:
    done = linkage(
        "translate", cohort, "--project", "asthma", "--target", "stroke",
        "--key", half(keys, "public"), *STATED, "--json",
    )  # fmt: skip
    submission = running.desk.asked[0][1]["submission"]
    assert (submission.terms.verb, submission.terms.target_project) == (
        LinkageVerb.TRANSLATE,
        "stroke",
    )
    assert json.loads(done.out)["request_id"] == "3f0c"


def test_a_number_is_read_from_a_file_or_the_input_only(
    linkage: Run,
    running: RunningDesk,
    keys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = (
        "locate", "--project", "asthma", "--key", half(keys, "public"),
        "--purpose", "request for access", "--consent", "letter",
    )  # fmt: skip
    file = tmp_path / "number.txt"
    file.write_text(f"{NUMBER}\n")
    outs = [linkage(*asked, "--identifier-file", file)]
    give_input(monkeypatch, f"{NUMBER}\n", terminal=False)
    outs.append(linkage(*asked))
    for (_, noted), done in zip(running.desk.asked, outs, strict=True):
        submission = noted["submission"]
        assert (submission.identifier, submission.kind) == (NUMBER, "nhs_number")
        assert submission.terms.legal_basis == "subject_request"
        assert done.code == ExitCode.OK
        assert NUMBER not in done.out + done.err


@pytest.mark.parametrize("text", ["", "  \n", f"{NUMBER}\n{NUMBER}\n"])
def test_exactly_one_number_is_located(
    linkage: Run, keys: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    give_input(monkeypatch, text, terminal=False)
    done = linkage(
        "locate", "--project", "asthma", "--key", half(keys, "public"),
        "--purpose", "request for access", "--consent", "letter",
    )  # fmt: skip
    assert done.code == ExitCode.USAGE
    assert "exactly one number" in done.err
    assert NUMBER not in done.err


def test_a_number_on_the_command_line_is_not_taken(linkage: Run) -> None:
    done = linkage("locate", NUMBER, "--project", "asthma")
    assert done.code == ExitCode.USAGE
    assert NUMBER not in done.err


# Reading and reviewing


def test_a_request_is_told_in_plain_words(linkage: Run, running: RunningDesk) -> None:
    running.desk.overlaps = (
        OverlapView(
            request_id="11bb",
            shared=2,
            state=LinkageState.RELEASED,
            requester="mara",
            submitted_at=NOON,
        ),
    )
    done = linkage("show", "3f0c")
    words = " ".join(done.out.split())
    fingerprint = write_fingerprint(running.desk.request.terms.recipient_key)
    for part in (
        "Tell the identifiers behind 2 pseudonyms of asthma.",
        "submitted: nobody has reviewed it",
        "recall after an alert",
        "direct_care",
        "letter of 3 March",
        "mara, 2026-03-01 12:00",
        "redeemed by olek",
        f"{fingerprint} (fingerprint)",
        running.desk.request.digest().hex(),
        *PSEUDONYMS,
        "Others asked for some of the same: request shared state asked by on",
        "11bb 2 released mara 2026-03-01",
        "2 reviews by others than mara or olek, and a guardian of asthma",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": LinkageState.APPROVED}, "nothing; olek runs"),
        ({"state": LinkageState.RELEASED}, "missing nothing"),
        ({"state": LinkageState.AWAITING_SECOND_REVIEW}, "the second review, by"),
        (
            {"state": LinkageState.PARTIALLY_REVIEWED, "hidden_votes": 1},
            "a guardian of asthma among the approvers (a hidden one may be theirs)",
        ),
        (
            {"state": LinkageState.PARTIALLY_REVIEWED, "votes": (make_vote(),)},
            "1 review by others than mara or olek",
        ),
    ],
)
def test_what_is_missing_is_told(
    linkage: Run, running: RunningDesk, changes: dict[str, object], says: str
) -> None:
    for name, value in changes.items():
        setattr(running.desk, name, value)
    assert says in " ".join(linkage("show", "3f0c").out.split())


def test_both_guardians_are_wanted_for_a_translation(
    linkage: Run, running: RunningDesk
) -> None:
    running.desk.request = replace_request(
        running.desk.request, verb=LinkageVerb.TRANSLATE, target_project="stroke"
    )
    running.desk.state, running.desk.votes = (
        LinkageState.PARTIALLY_REVIEWED,
        (make_vote(), make_vote(reviewer="ravi", guardian_of=())),
    )
    words = " ".join(linkage("show", "3f0c").out.split())
    assert "Turn 2 pseudonyms of asthma into those of stroke" in words
    assert "gwen, guardian of asthma approved on 2026-03-01 12:00: it is care" in words
    assert "1 review by others than mara or olek, and a guardian of stroke" in words


def test_an_emergency_says_so(linkage: Run, running: RunningDesk) -> None:
    running.desk.request = replace_request(
        running.desk.request, mode=LinkageMode.BREAK_GLASS
    )
    words = " ".join(linkage("show", "3f0c").out.split())
    assert "in an emergency" in words
    assert "one approval, by a guardian of asthma who is not mara or olek" in words


def test_show_answers_with_json(linkage: Run, running: RunningDesk) -> None:
    running.desk.votes = (make_vote(),)
    shown = json.loads(linkage("show", "3f0c", "--json").out)
    assert shown["pseudonyms"] == list(PSEUDONYMS)
    assert shown["digest"] == running.desk.request.digest().hex()
    assert shown["votes"][0]["guardian_of"] == ["asthma"]
    assert shown["state"] == "submitted"


def test_a_review_sends_the_digest_of_what_was_shown(
    linkage: Run, running: RunningDesk
) -> None:
    done = linkage("review", "3f0c", "--approve", "--reason", "it is care", "--yes")
    assert done.code == ExitCode.OK, done.err
    (first, _), (second, asked) = running.desk.asked
    assert (first, second) == ("get", "review")
    assert asked["digest"] == running.desk.request.digest()
    assert asked["decision"] == "approve"
    assert done.out.index("Tell the identifiers") < done.out.index("Recorded.")


def test_a_service_that_shows_one_thing_and_means_another_is_found_out(
    linkage: Run, running: RunningDesk
) -> None:
    other = replace(running.desk.request, subjects=PSEUDONYMS[:1])
    running.desk.lie = {"digest": other.digest()}
    done = linkage("review", "3f0c", "--approve", "--reason", "it is care", "--yes")
    assert done.code == ExitCode.FAULTS_FOUND
    assert "not that of the request as shown" in done.err
    assert [name for name, _ in running.desk.asked] == ["get"]


def test_nobody_reviews_what_is_not_shown(linkage: Run, running: RunningDesk) -> None:
    running.desk.request = replace_request(running.desk.request, subjects=())
    done = linkage("review", "3f0c", "--approve", "--reason", "it is care", "--yes")
    assert done.code == ExitCode.REFUSED
    assert "not shown what is asked for" in done.err


def test_a_location_is_reviewed_without_its_subject(
    linkage: Run, running: RunningDesk
) -> None:
    blind = "00ff" * 16  # longer than any group of the fingerprint's digits
    running.desk.request = replace_request(
        running.desk.request, verb=LinkageVerb.LOCATE, subjects=("nhs_number:" + blind,)
    )
    done = linkage("review", "3f0c", "--reject", "--reason", "no letter", "--yes")
    assert done.code == ExitCode.OK, done.err
    assert "Tell which projects hold one person." in done.out
    assert blind[:16] not in done.out


@pytest.mark.parametrize(
    ("answer", "recorded"), [("y\n", True), ("n\n", False), ("\n", False)]
)
def test_a_reviewer_is_asked_once_more(
    linkage: Run,
    running: RunningDesk,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    recorded: bool,
) -> None:
    give_input(monkeypatch, answer, terminal=True)
    done = linkage("review", "3f0c", "--approve", "--reason", "it is care")
    assert ("review" in [name for name, _ in running.desk.asked]) is recorded
    assert (done.code == ExitCode.OK) is recorded


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("review", "3f0c", "--reason", "x"), "--approve or --reject"),
        (("review", "3f0c", "--approve", "--reason", "x"), "--yes"),
    ],
)
def test_a_decision_is_never_guessed(
    linkage: Run,
    running: RunningDesk,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    give_input(monkeypatch, "", terminal=False)
    done = linkage(*arguments)
    assert done.code == ExitCode.USAGE
    assert says in done.err
    assert "review" not in [name for name, _ in running.desk.asked]


def test_requests_are_listed(linkage: Run, running: RunningDesk) -> None:
    running.desk.pages = 2
    done = linkage("list", "--project", "asthma", "--state", "approved")
    assert done.out.count("3f0c") == 2
    assert "reidentify 2" in " ".join(done.out.split())
    assert running.desk.asked[0][1]["states"] == [LinkageState.APPROVED]
    listed = json.loads(
        linkage("list", "--project", "asthma", "--most", "1", "--json").out
    )
    assert [each["request_id"] for each in listed["linkages"]] == ["3f0c"]


def test_a_request_is_withdrawn(linkage: Run, running: RunningDesk) -> None:
    running.desk.state = LinkageState.WITHDRAWN
    done = linkage("withdraw", "3f0c", "--reason", "sent twice")
    assert done.code == ExitCode.OK
    assert "withdrawn" in done.out
    assert running.desk.asked[0][1]["reason"] == "sent twice"


def test_a_refusal_is_one_line(linkage: Run, running: RunningDesk) -> None:
    running.desk.refusal = errors.RequestState("the request is rejected")
    done = linkage("withdraw", "3f0c", "--reason", "sent twice")
    assert done.code == ExitCode.REFUSED
    assert len(done.err.splitlines()) == 1
    assert "[REQUEST_STATE, request " in done.err


# Who calls


def test_on_a_laptop_one_says_who_one_is(service, pseudo: Run) -> None:
    done = pseudo("linkage", "review", "3f0c", "--approve", "--reason", "x", "--yes")
    assert done.code == ExitCode.USAGE
    assert "--as PERSON --role" in done.err
    assert service.roles == []


def test_on_a_laptop_the_token_names_the_person(
    service, pseudo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Listing:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def list_linkages(self, project, *, states):
            assert (project, states) == ("asthma", [])
            return iter(())

    subjects = []
    monkeypatch.setattr(
        "pseudo_service.cli.console.connection.Client",
        lambda *_, **more: subjects.append(more["token"]) or Listing(),
    )
    done = pseudo(
        "linkage", "list", "--project", "asthma", "--as", "gwen",
        "--role", "guardian:asthma",
    )  # fmt: skip
    assert done.code == ExitCode.OK, done.err
    assert "No request of asthma" in done.out
    assert pseudo("linkage", "list", "--project", "asthma").code == ExitCode.OK
    assert service.roles == [["guardian:asthma"], ["linkage_officer:asthma"]]
    assert subjects == ["token for gwen", "token for command-line"]


def test_the_fake_answers_what_the_desk_would(running: RunningDesk) -> None:
    assert reviews.is_what_is_shown(running.client.get_linkage("3f0c"))
    assert isinstance(running.key, X25519PrivateKey)
