"""Streams, workers and processes that meet: at the same patients, at the same keys."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pseudo_client import PseudoClientError
from tests.lib.services.served import (
    ServedProcess,
    await_serving,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.services.service import OpenService, RunningService
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import (
    make_batches,
    make_cohort,
    make_numbers,
    write_policy,
)
from tests.lib.values.trail import read_events, read_stored_events, verify_stored_trail

T = TypeVar("T")


def meet(*calls: Callable[[], T]) -> list[T | PseudoClientError]:
    """Begin all calls at once; return what each answered or was refused with."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], T]) -> T | PseudoClientError:
        barrier.wait(20)
        try:
            return call()
        except PseudoClientError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def check_answers(service: RunningService, answers: Sequence[Any], numbers: list[str]):
    """Fail unless all answers are equal and every patient is in the register."""
    pseudonyms = [answer["patient"].to_pylist() for answer in answers]
    assert all(found == pseudonyms[0] for found in pseudonyms)
    with reopen_register(service.config) as register:
        register.check_blind_index()
        known = register.recompute("asthma")
        assert [known[text] for text in pseudonyms[0]] == numbers
        return Counter(register.identities["nhs_number"])


def test_streams_that_meet_the_same_new_patients(any_service: RunningService) -> None:
    """Each patient is registered, and in one process no patient twice."""
    batches = make_batches(9_000, batches=4, rows=100)
    numbers = [n for batch in batches for n in batch["nhs_number"].to_pylist()]
    answers = meet(*[lambda: any_service.deidentify(batches)] * 6)
    counts = check_answers(any_service, answers, numbers)
    assert set(counts.values()) == {1}


def test_streams_that_meet_in_other_orders(any_service: RunningService) -> None:
    """Two that claim each other's next patients wait for commits, not each other."""
    batches = make_batches(9_500, batches=6, rows=20)

    def send(order: Sequence[int]) -> Callable[[], Any]:
        return lambda: any_service.deidentify([batches[at] for at in order])

    orders = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 4, 1, 5, 2]] * 2
    answers = meet(*map(send, orders))
    failures = [answer for answer in answers if isinstance(answer, Exception)]
    assert failures == []
    found = {
        frozenset(
            zip(answer["score"].to_pylist(), answer["patient"].to_pylist(), strict=True)
        )
        for answer in answers
        if not isinstance(answer, Exception)
    }
    assert len(found) == 1


def test_a_stream_over_its_quota_takes_no_other_with_it(
    service: RunningService,
) -> None:
    """Who waited for its patients is told to send again, and then is answered."""
    service.create_project("kidney", quota=10)
    table = make_cohort(make_numbers(9_800, 20))
    calls = [
        lambda: service.deidentify(table, "kidney"),
        lambda: service.deidentify(table, "asthma"),
    ]
    for _ in range(3):
        over, within = meet(*calls)
        assert isinstance(over, PseudoClientError)
        assert over.code == "QUOTA_EXCEEDED"
        if isinstance(within, PseudoClientError):
            assert within.code == "STORE_UNAVAILABLE"
            assert within.retryable
    assert service.deidentify(table, "asthma").num_rows == 20


def test_two_services_on_one_database(
    open_service: OpenService, postgres_url: str
) -> None:
    one, other = (open_service(database={"url": postgres_url}) for _ in range(2))
    one.create_project("asthma")
    batches = make_batches(10_000, batches=3, rows=50)
    numbers = [n for batch in batches for n in batch["nhs_number"].to_pylist()]
    answers = meet(
        *[lambda: one.deidentify(batches), lambda: other.deidentify(batches)] * 2
    )
    check_answers(one, answers, numbers)
    events = read_events(one.auditor(), "batch_intent")
    assert len(events) == 12


def test_two_workers_make_one_key(open_service: OpenService, postgres_url: str) -> None:
    """A project that two custodians make at once is made once, with one key."""
    one, other = (open_service(database={"url": postgres_url}) for _ in range(2))
    outcomes = meet(
        *[lambda: one.create_project("kidney"), lambda: other.create_project("kidney")]
    )
    codes = [getattr(outcome, "code", "made") for outcome in outcomes]
    assert sorted(codes) == ["PROJECT_EXISTS", "made"]
    shown = [s.custodian().get_project("kidney") for s in (one, other)]
    assert shown[0] == shown[1]
    assert len(shown[0].key_versions) == 1
    for service in (one, other):
        service.custodian().register_policy(write_policy("kidney"))
    number = make_numbers(10_500, 1)[0]
    assert one.pseudonymise(number, "kidney") == other.pseudonymise(number, "kidney")


def test_two_custodians_rotate_once(any_service: RunningService) -> None:
    def rotate() -> object:
        return any_service.custodian().rotate_key(
            "asthma", current_version=1, reason="due"
        )

    outcomes = meet(rotate, rotate, rotate)
    codes = Counter(getattr(outcome, "code", "made") for outcome in outcomes)
    assert codes == {"made": 1, "STATE_CONFLICT": 2}
    versions = any_service.custodian().get_project("asthma").key_versions
    assert [key.version for key in versions] == [1, 2]


def test_the_first_start_of_two_services_makes_one_service_root(
    open_service: OpenService, postgres_url: str
) -> None:
    """A patient that both register has one blind index, so one of them knows it."""
    started = meet(*[lambda: open_service(database={"url": postgres_url})] * 2)
    services = [s for s in started if isinstance(s, RunningService)]
    assert len(services) == 2
    events = read_stored_events(services[0].config, "service_started")
    assert len({event["details"]["service_root"] for event in events}) == 1


def test_two_served_processes_on_one_database(state: Path, postgres_url: str) -> None:
    database = {"url": postgres_url}
    outside = {"archive_directory": str(state / "elsewhere")}
    with hold_free_port() as port, hold_free_port() as other_port:
        ports = (port, other_port)
        settings = {"database": database, "audit": outside}
        configs = [write_config(state, number, **settings) for number in ports]
        processes = [ServedProcess(config).go() for config in configs]
        services = [describe_service(state, number, **settings) for number in ports]
        try:
            for service, process in zip(services, processes, strict=True):
                await_serving(service, process)
            services[0].create_project("asthma")
            batches = make_batches(11_000, batches=4, rows=50)
            numbers = [n for batch in batches for n in batch["nhs_number"].to_pylist()]
            answers = meet(*[lambda s=s: s.deidentify(batches) for s in services * 2])
            check_answers(services[0], answers, numbers)
            for process in processes:
                process.terminate()
            assert [process.wait() for process in processes] == [0, 0]
        finally:
            for service in services:
                service.closing.close()
            for process in processes:
                process.stop()
    verdict = verify_stored_trail(services[0].config)
    assert verdict.findings == ()
    assert verdict.chains >= 2


@pytest.mark.parametrize("workers", [2])
def test_workers_share_a_port_and_a_register(workers: int, state: Path) -> None:
    """SQLite under two workers: the kernel spreads connections, the file is one."""
    with hold_free_port() as port:
        config = write_config(state, port)
        process = ServedProcess(config, "--workers", str(workers)).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            batches = make_batches(12_000, batches=2, rows=50)
            numbers = [n for batch in batches for n in batch["nhs_number"].to_pylist()]
            answers = meet(*[lambda: service.deidentify(batches)] * 4)
            failures = [a for a in answers if isinstance(a, Exception)]
            assert failures == []
            check_answers(service, answers, numbers)
            process.terminate()
            assert process.wait() == 0
        finally:
            service.closing.close()
            process.stop()
    assert verify_stored_trail(service.config).findings == ()
