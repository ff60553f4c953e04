"""Locust users: who makes the load, through the project's own client.

Import ``loadtests.greenlets`` before this module. Events carry the name of a call,
its time, its size and a code; never an identifier or a pseudonym.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import pyarrow as pa
from locust import User, task
from locust.exception import StopUser

from loadtests.profiles import Profile
from loadtests.tables import PROJECT, make_batches, make_nhs_numbers
from pseudo_client import Client, PseudoClientError, RetryPolicy, UnfinishedTable

PURPOSE = "load test"
ONE = "pseudonymise_one"
THOUSAND = "pseudonymise_thousand"
TABLE = "deidentify_table"

_NEW_FROM = 200_000  # known patients lie below, so that no new one is among them
_NEW = 600_000
_PATIENT = 0  # the column of the pseudonyms; the policy renames it
_TABLE_BATCHES = 4
_TABLE_ROWS = 4_096


class CallFailed(Exception):
    """A call failed for good; the text is a code."""


@dataclass(kw_only=True)
class Tally:
    """What Locust does not count."""

    begun: int = 0
    retries: int = 0
    recovered: int = 0


@dataclass(kw_only=True)
class Load:
    """What all users of one run share."""

    profile: Profile
    address: str
    authorities: bytes
    token: str
    tally: Tally = field(default_factory=Tally)
    chance: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311 - the same load each time
    answered: dict[str, str] = field(default_factory=dict)

    def draw(self, size: int) -> list[str]:
        """Return identifiers, nearly all of known patients."""
        share = self.profile.new_share
        return [
            self._draw_new() if self.chance.random() < share else self._draw_known()
            for _ in range(size)
        ]

    def check(self, identifiers: Sequence[str], pseudonyms: Sequence[str]) -> None:
        """Raise if a patient has another pseudonym than before."""
        for identifier, pseudonym in zip(identifiers, pseudonyms, strict=True):
            if self.answered.setdefault(identifier, pseudonym) != pseudonym:
                msg = "PSEUDONYM_CHANGED"
                raise CallFailed(msg)

    @cached_property
    def tables(self) -> list[list[pa.RecordBatch]]:
        """A few small tables of known patients, made before the load begins."""
        patients = make_nhs_numbers(self.profile.known_patients)
        return [
            make_batches(
                patients,
                batches=_TABLE_BATCHES,
                rows=_TABLE_ROWS,
                distinct=min(_TABLE_ROWS // 5, len(patients)),
                seed=seed,
            )
            for seed in range(4)
        ]

    @cached_property
    def _known(self) -> list[str]:
        return [*make_nhs_numbers(self.profile.known_patients).to_pylist()]

    @cached_property
    def _new(self) -> list[str]:
        return [*make_nhs_numbers(_NEW, first=_NEW_FROM).to_pylist()]

    def _draw_known(self) -> str:
        return self.chance.choice(self._known)

    def _draw_new(self) -> str:
        return self._new.pop() if self._new else self._draw_known()

    def prepare(self) -> None:
        """Make what is made lazily, so that no user waits for it."""
        assert self._known
        assert self._new
        assert self.tables


class ServiceUser(User):
    """Someone with a connection of their own, and the client's own retries."""

    abstract = True
    load: Load

    def on_start(self) -> None:
        self._retries = RetryPolicy(sleep=self._wait_to_retry)
        self._retried = False
        self.client = Client(
            self.load.address,
            root_certificates=self.load.authorities,
            token=self.load.token,
            retries=self._retries,
        )
        # Locust's own pacing makes all users call at the same moments.
        self._due = time.perf_counter() + self.load.chance.random() * self._interval
        time.sleep(self.wait_time())

    def on_stop(self) -> None:
        self.client.close()

    @property
    def _interval(self) -> float:
        pace = self.load.profile.calls_per_second_per_user
        return 1 / pace if pace else 0.0

    def wait_time(self) -> float:
        """Return the seconds until the next call is due; Locust asks after each."""
        wait = max(0.0, self._due - time.perf_counter())
        self._due += self._interval
        return wait

    def measure(self, name: str, call: Callable[[], int]) -> None:
        """Make one call, which returns its size, and fire its one event."""
        self._begin()
        failure: CallFailed | None = None
        size = 0
        started = time.perf_counter()
        try:
            size = call()
        except CallFailed as error:
            failure = error
        except PseudoClientError as error:
            failure = CallFailed(error.code)
        except Exception as error:  # noqa: BLE001 - counted; its text may hold a value
            failure = CallFailed(type(error).__name__)
        elapsed = time.perf_counter() - started
        if self._retried and failure is None:
            self.load.tally.recovered += 1
        self.environment.events.request.fire(
            request_type="grpc",
            name=name,
            response_time=elapsed * 1000,
            response_length=size,
            exception=failure,
            context={},
        )

    def ask(self, size: int) -> int:
        """Pseudonymise so many identifiers; return the bytes of the pseudonyms."""
        identifiers = self.load.draw(size)
        answers = self.client.pseudonymise(
            identifiers, kind="nhs_number", project=PROJECT, purpose=PURPOSE
        )
        pseudonyms = [one.pseudonym for one in answers if one.pseudonym]
        if len(pseudonyms) != size:
            msg = "IDENTIFIER_REFUSED"
            raise CallFailed(msg)
        self.load.check(identifiers, pseudonyms)
        return sum(map(len, pseudonyms))

    def _begin(self) -> None:
        self._retried = False
        self.load.tally.begun += 1
        if self.load.tally.begun > self.load.profile.calls_at_most:
            raise StopUser

    def _wait_to_retry(self, seconds: float) -> None:
        self._retried = True
        self.load.tally.retries += 1
        time.sleep(seconds)


class UnaryUser(ServiceUser):
    """Asks for one pseudonym a call."""

    @task
    def pseudonymise_one(self) -> None:
        self.measure(ONE, lambda: self.ask(1))


class BatchUser(ServiceUser):
    """Asks for as many pseudonyms as one call may."""

    @task
    def pseudonymise_thousand(self) -> None:
        self.measure(THOUSAND, lambda: self.ask(1_000))


class TableUser(ServiceUser):
    """Streams small tables, and believes only those that come with a receipt."""

    turn = count()

    @task
    def deidentify_table(self) -> None:
        tables = self.load.tables
        table = tables[next(self.turn) % len(tables)]
        self.measure(TABLE, lambda: self._stream(table))

    def _stream(self, batches: list[pa.RecordBatch]) -> int:
        """Send a table, all of it again when its stream broke."""
        return self._retries.run(
            lambda: self._stream_once(batches), may_retry=_may_send_again
        )

    def _stream_once(self, batches: list[pa.RecordBatch]) -> int:
        answer = self.client.deidentify(
            batches, project=PROJECT, policy="admissions@1", purpose=PURPOSE
        )
        table = answer.read_all()
        sent = sum(batch.num_rows for batch in batches)
        if answer.receipt.rows_in != sent or answer.receipt.rows_out != table.num_rows:
            msg = "RECEIPT_DISAGREES"
            raise CallFailed(msg)
        if table.num_rows != sent or table.column(_PATIENT).null_count:
            msg = "ROWS_MISSING"
            raise CallFailed(msg)
        return int(table.nbytes)


KINDS = {"unary": UnaryUser, "batch": BatchUser, "table": TableUser}


def build_users(load: Load) -> list[type[User]]:
    """Return the profile's users as classes that Locust counts and paces."""
    return [
        type(
            KINDS[kind].__name__,
            (KINDS[kind],),
            {"load": load, "fixed_count": number},
        )
        for kind, number in load.profile.users.items()
    ]


def _may_send_again(error: PseudoClientError) -> bool:
    return error.retryable or isinstance(error, UnfinishedTable)
