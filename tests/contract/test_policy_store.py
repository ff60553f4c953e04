"""What every ``PolicyStore`` promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.policies import SqlPolicies
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.errors import PolicyExists, PolicyUnknown, ProjectUnknown
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_event, make_policy, make_project

CREATED = make_event(1, AuditKind.PROJECT_CREATED)
REGISTERED = make_event(2, AuditKind.POLICY_REGISTERED)


def open_with_project(open_database: OpenDatabase) -> SqlDatabase:
    database = open_database()
    SqlProjects(database).create(make_project(), [], CREATED)
    return database


def test_a_policy_comes_back_as_it_was(open_database: OpenDatabase) -> None:
    store = SqlPolicies(open_with_project(open_database))
    policy = make_policy(text="# naïve, 你好\ncolumns: {}\n")
    store.add(policy, REGISTERED)
    assert store.get("heart-study", "2026-q1", 1) == policy


def test_the_same_policy_again_leaves_no_event(open_database: OpenDatabase) -> None:
    database = open_with_project(open_database)
    store = SqlPolicies(database)
    store.add(make_policy(), REGISTERED)
    again = replace(make_policy(), registered_by="custodian-2")
    store.add(again, make_event(3, AuditKind.POLICY_REGISTERED))
    assert store.get("heart-study", "2026-q1", 1) == make_policy()
    bodies = [event.body for event in SqlAuditLog(database).read("chain-1")]
    assert bodies == [encode_event(CREATED), encode_event(REGISTERED)]


def test_another_text_needs_another_number(open_database: OpenDatabase) -> None:
    store = SqlPolicies(open_with_project(open_database))
    store.add(make_policy(), REGISTERED)
    with pytest.raises(PolicyExists, match="heart-study/2026-q1@1"):
        store.add(make_policy(text="other: {}\n"), make_event(3))
    assert store.get("heart-study", "2026-q1", 1) == make_policy()


def test_an_unknown_policy_is_an_error(open_database: OpenDatabase) -> None:
    store = SqlPolicies(open_with_project(open_database))
    with pytest.raises(PolicyUnknown, match="heart-study/2026-q1@7"):
        store.get("heart-study", "2026-q1", 7)


def test_a_policy_needs_its_project(open_database: OpenDatabase) -> None:
    store = SqlPolicies(open_database())
    with pytest.raises(ProjectUnknown, match="heart-study"):
        store.add(make_policy(), REGISTERED)


def test_policies_are_listed_by_release_and_number(
    open_database: OpenDatabase,
) -> None:
    store = SqlPolicies(open_with_project(open_database))
    for release, number in [("b", 1), ("a", 10), ("a", 9)]:
        store.add(make_policy(number, release=release), make_event(number))
    found = [(policy.release, policy.number) for policy in store.list("heart-study")]
    assert found == [("a", 9), ("a", 10), ("b", 1)]
    assert store.list("lung-study") == []


def test_of_two_texts_that_race_one_is_registered(
    open_database: OpenDatabase,
) -> None:
    open_with_project(open_database)
    databases = [open_database(f"chain-{number}") for number in range(2, 6)]

    def add(number: int) -> str:
        policy = make_policy(text=f"text: {number}\n")
        try:
            SqlPolicies(databases[number]).add(policy, REGISTERED)
        except PolicyExists:
            return "exists"
        return "added"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(add, range(4)))
    assert outcomes == ["added", "exists", "exists", "exists"]
