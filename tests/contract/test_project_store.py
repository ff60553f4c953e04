"""What every ``ProjectStore`` and ``KeyRowStore`` promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.errors import ProjectExists, ProjectUnknown, StateConflict
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import ProjectState
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_event, make_key_row, make_project

CREATED = make_event(1, AuditKind.PROJECT_CREATED)
OTHER = make_event(2, AuditKind.PROJECT_CREATED)


def test_a_project_comes_back_as_it_was(open_database: OpenDatabase) -> None:
    database = open_database()
    project = make_project()
    SqlProjects(database).create(project, [make_key_row()], CREATED)
    assert SqlProjects(database).get("heart-study") == project
    stored = SqlKeyRows(database).newest("heart-study", RootPurpose.PSEUDONYMS)
    assert stored == make_key_row()
    assert stored is not None
    assert stored.signed_bytes() == make_key_row().signed_bytes()


def test_projects_are_listed_by_id(open_database: OpenDatabase) -> None:
    store = SqlProjects(open_database())
    for project_id, tag in [("lung-study", "AAAA"), ("eye-study", "BBBB")]:
        store.create(make_project(project_id, tag), [], CREATED)
    assert [found.project_id for found in store.list()] == ["eye-study", "lung-study"]


def test_an_unknown_project_is_an_error(open_database: OpenDatabase) -> None:
    store = SqlProjects(open_database())
    with pytest.raises(ProjectUnknown, match="no-such-study"):
        store.get("no-such-study")
    with pytest.raises(ProjectUnknown):
        store.change_state(
            "no-such-study",
            old=ProjectState.ACTIVE,
            new=ProjectState.SUSPENDED,
            audit=CREATED,
        )


def test_an_id_is_used_once(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlProjects(database)
    store.create(make_project(), [], CREATED)
    with pytest.raises(ProjectExists, match="heart-study"):
        store.create(make_project(tag="ZZZZ"), [], OTHER)
    assert read_bodies(database, "chain-1") == [encode_event(CREATED)]


def test_a_tag_is_used_once(open_database: OpenDatabase) -> None:
    store = SqlProjects(open_database())
    store.create(make_project(), [], CREATED)
    with pytest.raises(StateConflict, match="tag"):
        store.create(make_project("lung-study"), [], OTHER)
    assert len(store.list()) == 1


def test_a_project_whose_key_is_taken_is_not_stored(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    SqlKeyRows(database).add(make_key_row(), CREATED)
    with pytest.raises(StateConflict):
        SqlProjects(database).create(make_project(), [make_key_row()], OTHER)
    assert SqlProjects(database).list() == []
    assert read_bodies(database, "chain-1") == [encode_event(CREATED)]


def test_the_state_is_compared_and_set(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlProjects(database)
    store.create(make_project(), [], CREATED)
    suspended = make_event(2, AuditKind.PROJECT_SUSPENDED)
    change = {"old": ProjectState.ACTIVE, "new": ProjectState.SUSPENDED}
    store.change_state("heart-study", **change, audit=suspended)
    assert store.get("heart-study").state is ProjectState.SUSPENDED
    with pytest.raises(StateConflict, match="active"):
        store.change_state("heart-study", **change, audit=make_event(3))
    expected = [encode_event(CREATED), encode_event(suspended)]
    assert read_bodies(database, "chain-1") == expected


def test_key_rows_are_found_by_version(open_database: OpenDatabase) -> None:
    store = SqlKeyRows(open_database())
    rows = [make_key_row(version=version) for version in (2, 10, 1)]
    for row in rows:
        store.add(row, make_event(row.version, AuditKind.KEY_CREATED))
    store.add(make_key_row(purpose=RootPurpose.STABLE, version=11), make_event(11))
    purpose = RootPurpose.PSEUDONYMS
    assert store.newest("heart-study", purpose) == rows[1]
    assert store.get("heart-study", purpose, 2) == rows[0]
    assert store.get("heart-study", purpose, 3) is None
    assert store.newest("eye-study", purpose) is None
    versions = [row.version for row in store.versions("heart-study", purpose)]
    assert versions == [1, 2, 10]


def test_a_key_row_is_never_replaced(open_database: OpenDatabase) -> None:
    store = SqlKeyRows(open_database())
    store.add(make_key_row(), CREATED)
    with pytest.raises(StateConflict, match="version 1"):
        store.add(make_key_row(), OTHER)


def test_of_two_processes_that_make_a_project_one_does(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in range(4)]

    def create(number: int) -> str:
        project = make_project(tag=f"AAA{number}")
        key = make_key_row()
        try:
            SqlProjects(databases[number]).create(project, [key], CREATED)
        except ProjectExists:
            return "exists"
        return "made"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(create, range(4)))
    assert outcomes == ["exists", "exists", "exists", "made"]
    assert sum(len(read_bodies(databases[0], f"chain-{n}")) for n in range(4)) == 1


def test_of_two_projects_that_draw_a_tag_one_gets_it(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in range(4)]

    def create(number: int) -> str:
        try:
            SqlProjects(databases[number]).create(
                make_project(f"study-{number}"), [], CREATED
            )
        except StateConflict:
            return "conflict"
        return "made"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(create, range(4)))
    assert outcomes == ["conflict", "conflict", "conflict", "made"]


def read_bodies(database: object, chain: str) -> list[str]:
    return [event.body for event in SqlAuditLog(database).read(chain)]  # type: ignore[arg-type]
