"""Long lists: every wrong line is named, ids stay whole, and the end stays in sight."""

from dataclasses import replace
from pathlib import Path

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.linkage.rendering import SHOWN_OVERLAPS
from pseudo_service.core.linkage.request import LinkageState
from pseudo_service.engine.linkage.views import OverlapView
from tests.lib.harnesses.linkage_commands import STATED, Run, half
from tests.lib.services.fake_desk import NOON, PSEUDONYMS, RunningDesk


def test_every_line_that_is_no_pseudonym_is_named_at_once(
    linkage: Run, running: RunningDesk, keys: Path, cohort: Path
) -> None:
    quoted = f'"{PSEUDONYMS[0]}"'
    cohort.write_text("\n".join(["patient,sex", PSEUDONYMS[0], *[quoted] * 11]))
    done = linkage(
        "submit", cohort, "--project", "asthma", "--key", half(keys, "public"), *STATED
    )
    assert done.code == ExitCode.USAGE
    assert "line 1, " in done.err
    assert "line 2, " not in done.err
    assert "line 11, " in done.err
    assert "and 2 more" in done.err
    assert "without header" in done.err
    assert running.desk.asked == []


def test_an_id_in_a_list_is_whole_so_that_it_can_be_copied(
    linkage: Run, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = "0123456789abcdef" * 2
    longest = LinkageState.AWAITING_SECOND_REVIEW
    view = running.client.get_linkage("3f0c").linkage
    found = replace(
        view,
        request_id=request_id,
        state=longest,
        requester="tenant/officer-with-an-id",
    )
    monkeypatch.setattr(
        type(running.client), "list_linkages", lambda *_, **__: iter([found])
    )
    assert request_id in linkage("list", "--project", "asthma").out


def test_many_overlaps_do_not_bury_the_request(
    linkage: Run, running: RunningDesk
) -> None:
    running.desk.overlaps = tuple(
        OverlapView(
            request_id=f"request-{at}",
            shared=1,
            state=LinkageState.SUBMITTED,
            requester="mara",
            submitted_at=NOON,
        )
        for at in range(SHOWN_OVERLAPS + 2)
    )
    done = linkage("show", "3f0c")
    assert f"request-{SHOWN_OVERLAPS - 1}" in done.out
    assert f"request-{SHOWN_OVERLAPS} " not in done.out
    assert "and 2 more requests; --json lists them all" in done.out
