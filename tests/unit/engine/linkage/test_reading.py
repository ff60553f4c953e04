"""Reading requests: lists in pages, and one request with its details."""

import pytest

from pseudo_service.core.errors import AccessDenied, InvalidArgument, RequestUnknown
from pseudo_service.core.linkage.request import LinkageState
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.values.linkage_actors import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    STRANGER,
    act,
)


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def list_all(harness: LinkageHarness, size: int, *states: LinkageState, actor=OFFICER):
    pages, cursor = [], b""
    while True:
        page = harness.reader.list(
            "asthma", states=states, page_size=size, cursor=cursor, actor=actor
        )
        pages.append([view.request.request_id for view in page.views])
        cursor = page.next_cursor
        if not cursor:
            return pages


def test_lists_come_newest_first_in_pages(harness: LinkageHarness) -> None:
    made = [harness.submit().request_id for _ in range(5)]
    assert list_all(harness, 2) == [
        [made[4], made[3]],
        [made[2], made[1]],
        [made[0]],
    ]
    assert list_all(harness, 5) == [made[::-1]]
    assert list_all(harness, 0) == [made[::-1]]
    page = harness.reader.list(
        "asthma", states=(), page_size=1, cursor=b"", actor=OFFICER
    )
    assert page.views[0].request.subjects == ()
    assert page.views[0].subject_count == 1


def test_lists_know_what_has_expired(harness: LinkageHarness) -> None:
    old = harness.submit().request_id
    harness.clock.advance(hours=3)
    young = harness.submit().request_id
    assert list_all(harness, 1, LinkageState.EXPIRED) == [[old]]
    assert list_all(harness, 1, LinkageState.SUBMITTED) == [[young]]
    assert list_all(harness, 2, LinkageState.EXPIRED, LinkageState.SUBMITTED) == [
        [young, old]
    ]


def test_a_page_holds_at_most_a_hundred(harness: LinkageHarness) -> None:
    for _ in range(101):
        harness.submit()
    assert [len(page) for page in list_all(harness, 1000)] == [100, 1]
    assert [len(page) for page in list_all(harness, 0)][:2] == [20, 20]


def test_a_cursor_is_of_use_to_its_caller_and_list_only(
    harness: LinkageHarness,
) -> None:
    for _ in range(3):
        harness.submit()

    def read(cursor: bytes, *, project: str = "asthma", actor=OFFICER, states=()):
        return harness.reader.list(
            project, states=states, page_size=1, cursor=cursor, actor=actor
        )

    cursor = read(b"").next_cursor
    assert read(cursor).views
    both = act("officer", "linkage_officer:asthma", "linkage_officer:stroke")
    for misuse in (
        {"actor": COLLEAGUE},
        {"project": "stroke", "actor": both},
        {"states": (LinkageState.SUBMITTED,)},
    ):
        with pytest.raises(InvalidArgument, match="cursor"):
            read(cursor, **misuse)
    for bad in (cursor[:-1], b"x", bytes(len(cursor))):
        with pytest.raises(InvalidArgument, match="cursor"):
            read(bad)


def test_lists_are_for_those_of_the_project(harness: LinkageHarness) -> None:
    harness.submit()
    with pytest.raises(AccessDenied):
        list_all(harness, 1, actor=STRANGER)
    assert len(list_all(harness, 1, actor=AUDITOR)) == 1


def test_one_request_comes_with_its_subjects(harness: LinkageHarness) -> None:
    request = harness.submit(*NUMBERS[:2])
    detail = harness.reader.get(request.request_id, actor=GUARDIAN)
    assert detail.view.request == request
    assert detail.pseudonyms == tuple(request.subjects)
    assert detail.overlaps == ()
    assert request.subjects[0] not in repr(detail)


def test_an_unknown_request_and_a_hidden_one_are_told_alike(
    harness: LinkageHarness,
) -> None:
    request = harness.submit()
    refusals = []
    for request_id, actor in ((request.request_id, STRANGER), ("0" * 32, GUARDIAN)):
        with pytest.raises(RequestUnknown) as refusal:
            harness.reader.get(request_id, actor=actor)
        refusals.append(refusal.value.message)
    assert refusals[0] == refusals[1]
