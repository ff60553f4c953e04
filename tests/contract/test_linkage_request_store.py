"""What every ``RequestStore`` promises."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from sqlalchemy import create_engine, text

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.linkage_requests import SqlRequests
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.errors import PseudoError, RequestUnknown, StateConflict
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState
from pseudo_service.ports.linkage_requests import KeptResult, OverlappingRequest
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_linkage import make_request, make_subjects
from tests.lib.stores.stored_values import NOON, make_event

SUBMITTED = make_event(1, AuditKind.LINKAGE_SUBMITTED)
INTENT = make_event(2, AuditKind.LINKAGE_RELEASE_INTENT)
RELEASED = make_event(3, AuditKind.LINKAGE_RELEASED)
LATER = NOON + timedelta(hours=1)


def add(store: SqlRequests, *requests: LinkageRequest) -> None:
    for request in requests:
        store.add(request, [SUBMITTED])


def read_bodies(database: SqlDatabase) -> list[str]:
    log = SqlAuditLog(database)
    return [event.body for chain in log.chains() for event in log.read(chain)]


def release(store: SqlRequests, request_id: str = "request-000001") -> None:
    """Spend an approved request's only release."""
    store.change_state(
        request_id,
        old=LinkageState.APPROVED,
        new=LinkageState.RELEASED,
        at=LATER,
        audit=[INTENT],
    )


def approve(store: SqlRequests, request_id: str = "request-000001") -> None:
    store.change_state(
        request_id,
        old=LinkageState.SUBMITTED,
        new=LinkageState.APPROVED,
        at=NOON,
        audit=[],
    )


def test_a_request_comes_back_as_it_was(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    # upper case, lower case and signs, which databases order in their own ways
    subjects = tuple(sorted(["H7Q2-b", "H7Q2-A", "H7Q2-a", "H7Q2_B", "H7Q2-é"]))
    request = dataclasses.replace(
        make_request(target_project="lung-study", subjects=subjects),
        submitted_at=NOON.astimezone(timezone(timedelta(hours=1))),
    )
    add(store, request)
    stored = store.get(request.request_id)
    assert stored.request == request
    assert stored.digest == request.digest() == stored.request.digest()
    assert stored.state is LinkageState.SUBMITTED
    assert stored.released_at is None
    assert read_bodies(database) == [encode_event(SUBMITTED)]


def test_the_highest_ceiling_is_stored(open_database: OpenDatabase) -> None:
    store = SqlRequests(open_database())
    request = make_request(subjects=make_subjects(range(100_000)))
    other = make_request(2, subjects=make_subjects(range(99_999, 199_999)))
    add(store, request, other)
    assert store.get(request.request_id).digest == request.digest()
    assert store.get(request.request_id).request == request
    [overlap] = store.find_overlaps(request, limit=10)
    assert (overlap.stored.request.request_id, overlap.shared) == ("request-000002", 1)


def test_an_unknown_request_is_an_error(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    with pytest.raises(RequestUnknown):
        store.get("request-000009")
    with pytest.raises(RequestUnknown):
        release(store)
    with pytest.raises(RequestUnknown):
        store.keep_result(
            "request-000009", KeptResult(sealed=b"", available_until=NOON), []
        )
    assert store.read_result("request-000009") is None
    assert read_bodies(database) == []


def test_a_request_is_never_replaced(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    add(store, make_request())
    with pytest.raises(StateConflict):
        store.add(make_request(subjects=make_subjects([9])), [make_event(9)])
    assert store.get("request-000001").request == make_request()
    assert read_bodies(database) == [encode_event(SUBMITTED)]


def test_a_subject_listed_twice_stores_nothing(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    with pytest.raises(StateConflict):
        add(store, make_request(subjects=("H7Q2-a", "H7Q2-a")))
    with pytest.raises(RequestUnknown):
        store.get("request-000001")
    assert read_bodies(database) == []


def test_requests_are_listed_newest_first(open_database: OpenDatabase) -> None:
    store = SqlRequests(open_database())
    add(store, *(make_request(number) for number in range(1, 6)))
    add(store, make_request(6, project="lung-study"))
    add(store, make_request(7, project="lung-study", target_project="heart-study"))
    approve(store, "request-000002")
    approve(store, "request-000007")
    everything = {"states": (), "before": None, "limit": 99}
    found = store.list("heart-study", **everything)
    assert [number_of(one.request) for one in found] == [7, 5, 4, 3, 2, 1]
    assert all(one.request.subjects == () for one in found)
    assert found[-1].digest == make_request(1).digest()
    page = store.list("heart-study", states=(), before=found[1].position, limit=2)
    assert [number_of(one.request) for one in page] == [4, 3]
    approved = [LinkageState.APPROVED, LinkageState.RELEASED]
    found = store.list("heart-study", states=approved, before=None, limit=99)
    assert [number_of(one.request) for one in found] == [7, 2]
    assert store.list("eye-study", **everything) == []


def number_of(request: LinkageRequest) -> int:
    return int(request.request_id[-6:])


def test_overlaps_come_most_first_and_newest_on_ties(
    open_database: OpenDatabase,
) -> None:
    store = SqlRequests(open_database())
    add(
        store,
        make_request(1, subjects=make_subjects(range(10))),
        make_request(2, subjects=make_subjects([0, 1, 50])),
        make_request(3, subjects=make_subjects([0, 1, 2, 51])),
        make_request(4, subjects=make_subjects([8, 9, 52])),
        make_request(5, subjects=make_subjects([53])),
        make_request(6, project="lung-study", subjects=make_subjects(range(10))),
        make_request(
            7, target_project="lung-study", subjects=make_subjects([1, 60, 61])
        ),
    )
    first = store.get("request-000001").request

    def find(limit: int) -> list[tuple[int, int]]:
        found = store.find_overlaps(first, limit=limit)
        assert all(one.stored.request.subjects == () for one in found)
        return [(number_of(one.stored.request), one.shared) for one in found]

    assert find(99) == [(3, 3), (4, 2), (2, 2), (7, 1)]
    assert find(2) == [(3, 3), (4, 2)]


def test_overlaps_are_found_before_a_request_is_stored(
    open_database: OpenDatabase,
) -> None:
    store = SqlRequests(open_database())
    add(store, make_request(1, subjects=make_subjects([1, 2])))
    odd = ("'; --", '"', "H7Q2\\u0031", *make_subjects([2]))
    coming = make_request(2, subjects=tuple(sorted(odd)))
    stored = dataclasses.replace(
        store.get("request-000001"),
        request=make_request(1, subjects=()),
    )
    overlap = OverlappingRequest(stored=stored, shared=1)
    assert store.find_overlaps(coming, limit=9) == [overlap]
    assert store.find_overlaps(make_request(3, subjects=()), limit=9) == []


def test_the_state_is_compared_and_set(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    add(store, make_request())
    approve(store)
    assert store.get("request-000001").released_at is None
    release(store)
    with pytest.raises(StateConflict, match="approved"):
        release(store)
    stored = store.get("request-000001")
    assert stored.state is LinkageState.RELEASED
    assert stored.released_at == LATER
    assert read_bodies(database) == [encode_event(SUBMITTED), encode_event(INTENT)]


def test_the_time_of_a_release_is_that_of_the_release(
    open_database: OpenDatabase,
) -> None:
    store = SqlRequests(open_database())
    add(store, make_request())
    approve(store)
    steps = [
        (LinkageState.APPROVED, LinkageState.AWAITING_SECOND_REVIEW),
        (LinkageState.AWAITING_SECOND_REVIEW, LinkageState.RELEASED),
    ]
    for number, (old, new) in enumerate(steps):
        at = LATER + timedelta(days=number)
        store.change_state("request-000001", old=old, new=new, at=at, audit=[])
    assert store.get("request-000001").released_at == LATER


@pytest.mark.parametrize("servers", [1, 2])
def test_of_threads_that_race_exactly_one_releases(
    open_database: OpenDatabase, servers: int
) -> None:
    databases = [open_database(f"chain-{number}") for number in range(servers)]
    numbers = range(1, 11)
    first = SqlRequests(databases[0])
    for number in numbers:
        add(first, make_request(number, subjects=()))
        approve(first, f"request-{number:06d}")
    ready = threading.Barrier(8)
    won: list[str] = []

    def race(racer: int) -> None:
        store = SqlRequests(databases[racer % servers])
        for number in numbers:
            request_id = f"request-{number:06d}"
            ready.wait()
            try:
                release(store, request_id)
            except StateConflict:
                continue
            won.append(request_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(race, range(8)))
    assert sorted(won) == [f"request-{number:06d}" for number in numbers]
    assert read_bodies(databases[0]).count(encode_event(INTENT)) == len(numbers)


def test_a_result_is_kept_once(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlRequests(database)
    add(store, make_request())
    assert store.read_result("request-000001") is None
    result = KeptResult(sealed=b"\x00\xff" * 50_000, available_until=LATER)
    store.keep_result("request-000001", result, [INTENT, RELEASED])
    again = KeptResult(sealed=b"another", available_until=LATER)
    with pytest.raises(StateConflict):
        store.keep_result("request-000001", again, [make_event(9)])
    assert store.read_result("request-000001") == result
    expected = [encode_event(event) for event in (SUBMITTED, INTENT, RELEASED)]
    assert read_bodies(database) == expected


def test_results_are_dropped_when_they_have_ended(open_database: OpenDatabase) -> None:
    """By the moment, whatever the zone or the form of its text."""
    store = SqlRequests(open_database())
    east = timezone(timedelta(hours=9))
    ends = [
        NOON - timedelta(microseconds=1),
        (NOON - timedelta(minutes=1)).astimezone(east),
        NOON,
        (NOON + timedelta(minutes=1)).astimezone(timezone(timedelta(hours=-9))),
    ]
    for number, end in enumerate(ends, start=1):
        request = make_request(number, subjects=())
        add(store, request)
        result = KeptResult(sealed=b"sealed", available_until=end)
        store.keep_result(request.request_id, result, [])
    assert store.drop_results(before=NOON) == 2
    assert store.drop_results(before=NOON) == 0
    left = [store.read_result(f"request-{number:06d}") for number in range(1, 5)]
    assert [result is None for result in left] == [True, True, False, False]
    assert store.get("request-000001").request == make_request(1, subjects=())


def test_nothing_of_a_subject_is_in_an_error_or_an_event(
    open_database: OpenDatabase, database_url: str
) -> None:
    """When the database fails in the midst, its text and values stay behind."""
    database = open_database()
    store = SqlRequests(database)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE linkage_subjects"))
    engine.dispose()
    request = make_request(subjects=make_subjects([77_777_777]))
    with pytest.raises(PseudoError) as refusal:
        add(store, request)
    with pytest.raises(PseudoError) as other:
        store.find_overlaps(request, limit=9)
    for caught in (refusal, other):
        assert "77777777" not in str(caught.value) + repr(caught.value)
        assert caught.value.__cause__ is None
    assert "77777777" not in repr(request)
    assert read_bodies(database) == []
