"""The one writer of a process: it commits waiting changes together.

A change is a function that runs its statements and returns the audit events that
belong to it. The writer runs each waiting change in a savepoint, links its events
to this process's hash chain, commits once, and only then answers: many changes
cost one disk flush, and no change can be stored without its events.

The chain cannot fork. Its head is read inside every transaction, and (chain,
sequence) is the primary key: if an earlier commit of unknown outcome lands after
all, the insert fails, and the group is run again on the new head.

A database that was rolled back, by a restore under the running process, has lost
events that this process committed. It is noticed at the next write of any kind:
nothing of that group is stored, every process is made to read the register anew, and
the chain goes on from where the database stands.

A caller who stops waiting (``StoreUnavailable``) cancels a change that has not
begun. One that has begun may still be stored. That is harmless for what data calls
write: an identity that is registered but was never answered, an intent without an
answer, and a charge that a repeated call does not pay twice. State changes
compare before they set, so a repeated one finds the state as it is.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from sqlalchemy import Connection, Engine, Transaction, bindparam, insert, select
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from pseudo_service.adapters.sql.engines import WRITES
from pseudo_service.adapters.sql.failures import (
    describe_closed,
    describe_contended,
    describe_queue_full,
    describe_read_anew,
    describe_slow,
    is_repeatable,
    translate,
)
from pseudo_service.adapters.sql.identity import renew_identity
from pseudo_service.adapters.sql.schema import audit_events
from pseudo_service.core.audit.events import (
    AuditEvent,
    ChainHead,
    RecordedEvent,
    link,
    start_chain,
)
from pseudo_service.core.errors import PseudoError

Change = Callable[[Connection], Sequence[AuditEvent]]
# Built once: every commit runs them, and building costs more than running.
_HEAD = (
    select(audit_events.c.sequence, audit_events.c.digest)
    .where(audit_events.c.chain == bindparam("of_chain"))
    .order_by(audit_events.c.sequence.desc())
    .limit(1)
)
_DIGEST_AT = select(audit_events.c.digest).where(
    audit_events.c.chain == bindparam("of_chain"),
    audit_events.c.sequence == bindparam("at"),
)
_APPEND = insert(audit_events)
GROUP_LIMIT = 256
QUEUE_LIMIT = 10_000
ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    change: Change
    order: str
    done: Future[None]


class PendingWrite:
    """A change in the queue, or further on."""

    def __init__(self, done: Future[None], patience: float) -> None:
        self._done = done
        self._patience = patience

    def wait(self) -> None:
        """Return when the change is durable; raise why it is not.

        Raises:
            PseudoError: The change was refused, or the database failed.
        """
        try:
            self._done.result(timeout=self._patience)
        except (TimeoutError, CancelledError):  # another waiter may have given up
            self._done.cancel()
            raise describe_slow() from None


class Writer:
    """Owns the write path of one database and the audit chain of one process."""

    def __init__(self, engine: Engine, *, chain: str, patience: float) -> None:
        self._engine = engine.execution_options(**{WRITES: True})
        self._reader = engine
        self._chain = chain
        self._patience = patience
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._committed: ChainHead | None = None
        self._thread = threading.Thread(
            target=self._run, name="pseudo-writer", daemon=True
        )
        self._thread.start()

    def submit(
        self, change: Change, *, order: str = "", extra_patience: float = 0.0
    ) -> PendingWrite:
        """Queue a change.

        Args:
            change: Runs statements on the connection and returns its events. It
                may run more than once; only its last run is committed.
            order: Changes of a group run in this order, so that two processes
                that lock the same rows lock them in the same order.
            extra_patience: How many seconds longer its caller is ready to wait.

        Raises:
            StoreUnavailable: The queue is full, or the store is closed.
        """
        job = _Job(change=change, order=order, done=Future())
        with self._gate:
            if self._closed:
                raise describe_closed()
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise describe_queue_full()
            self._queue.put(job)
        return PendingWrite(job.done, self._patience + extra_patience)

    def close(self) -> None:
        """Commit what waits, take nothing more, and end the thread."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._take()
            jobs = [job for job in group if job.done.set_running_or_notify_cancel()]
            if jobs:
                self._store(sorted(jobs, key=lambda job: job.order))

    def _take(self) -> tuple[list[_Job], bool]:
        """Return all changes that wait now, and whether they are the last."""
        first = self._queue.get()
        group: list[_Job] = []
        while first is not None:
            group.append(first)
            if len(group) == GROUP_LIMIT:
                return group, False
            try:
                first = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _store(self, jobs: Sequence[_Job]) -> None:
        """Commit a group and answer each of its callers."""
        refusals: dict[int, Exception] = {}
        try:
            refusals = self._try_commits(jobs)
        except Exception as error:  # noqa: BLE001 - callers must not wait for ever
            refusals = {number: _describe(error) for number in range(len(jobs))}
        for number, job in enumerate(jobs):
            refusal = refusals.get(number)
            if refusal is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(refusal)

    def _try_commits(self, jobs: Sequence[_Job]) -> dict[int, Exception]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._commit(jobs)
            except SQLAlchemyError as error:
                if not is_repeatable(error):
                    raise
        return self._commit(jobs)

    def _commit(self, jobs: Sequence[_Job]) -> dict[int, Exception]:
        """Run one transaction; return the refused jobs by their number."""
        refusals: dict[int, Exception] = {}
        with self._engine.connect() as connection:
            transaction = connection.begin()
            head = read_head(connection, self._chain)
            if not self._goes_on(connection, head):
                transaction.rollback()
                self._begin_anew(head)
                raise describe_read_anew()
            links = _Links(head)
            for number, job in enumerate(jobs):
                refusal = _run_job(connection, job, links)
                if refusal is not None:
                    refusals[number] = refusal
            links.store(connection)
            self._finish(connection, transaction, links)
        self._committed = links.head
        return refusals

    def _goes_on(self, connection: Connection, head: ChainHead) -> bool:
        """Say whether what this process committed last is still in its chain.

        The head may be further on: a commit whose answer was lost can land later.
        """
        last = self._committed
        if last is None or head == last or not last.sequence:
            return True
        place = {"of_chain": last.chain, "at": last.sequence}
        return connection.scalar(_DIGEST_AT, place) == last.digest

    def _begin_anew(self, head: ChainHead) -> None:
        """Go on from a database that was rolled back; have all read it anew."""
        with (
            contextlib.suppress(ProgrammingError),  # a role that may not renew it
            self._engine.begin() as connection,
        ):
            renew_identity(connection)
        self._committed = head

    def _finish(
        self, connection: Connection, transaction: Transaction, links: "_Links"
    ) -> None:
        """Commit; when the answer is lost, look whether the commit landed.

        A failed commit is never run again, for it might land after all, and its
        connection is dropped, for nobody knows its state.
        """
        try:
            transaction.commit()
        except SQLAlchemyError as error:
            connection.invalidate()
            if not self._has_landed(links):
                raise translate(error) from None

    def _has_landed(self, links: "_Links") -> bool:
        if not links.rows:
            return False
        last = links.rows[-1]
        place = {"of_chain": last.chain, "at": last.sequence}
        try:
            with self._reader.connect() as connection:
                return connection.scalar(_DIGEST_AT, place) == last.digest
        except SQLAlchemyError:
            return False


class _Links:
    """The events of one transaction, linked behind the committed ``head``."""

    def __init__(self, head: ChainHead) -> None:
        self.head = head
        self.rows: list[RecordedEvent] = []

    def append(self, events: Sequence[AuditEvent]) -> None:
        for event in events:
            row = link(self.head, event)
            self.head = ChainHead(
                chain=row.chain, sequence=row.sequence, digest=row.digest
            )
            self.rows.append(row)

    def store(self, connection: Connection) -> None:
        if self.rows:
            connection.execute(
                _APPEND,
                [
                    {
                        "chain": row.chain,
                        "sequence": row.sequence,
                        "body": row.body,
                        "previous": row.previous,
                        "digest": row.digest,
                    }
                    for row in self.rows
                ],
            )


def read_head(connection: Connection, chain: str) -> ChainHead:
    """Return the committed head of a chain; an unknown chain begins empty."""
    row = connection.execute(_HEAD, {"of_chain": chain}).first()
    if row is None:
        return start_chain(chain)
    return ChainHead(chain=chain, sequence=row.sequence, digest=row.digest)


def _describe(error: Exception) -> Exception:
    """Return a failed group's error, as a new object for each of its callers."""
    if isinstance(error, PseudoError):
        return type(error)(error.message)
    if isinstance(error, IntegrityError):
        return describe_contended()
    if isinstance(error, SQLAlchemyError):
        return translate(error)
    return error


def _run_job(connection: Connection, job: _Job, links: _Links) -> Exception | None:
    """Run one change in a savepoint; return why it was refused, or None.

    A failure of the database itself is raised: it concerns the whole group.
    """
    cause: SQLAlchemyError | None = None
    try:
        with connection.begin_nested():
            try:
                events = job.change(connection)
            except SQLAlchemyError as error:
                cause = error
                raise
    except PseudoError as refusal:
        return refusal
    except (IntegrityError, DataError) as error:
        return translate(error)
    except SQLAlchemyError as error:
        # A full disk ends SQLite's whole transaction, and leaving the savepoint
        # then fails with an error that says nothing of the disk.
        raise (cause or error) from None
    except Exception as error:  # noqa: BLE001 - a mistake in one change is its own
        return error
    links.append(events)
    return None
