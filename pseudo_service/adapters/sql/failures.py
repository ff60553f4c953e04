"""Every database failure as one of our own errors, without the library's text.

Library messages quote statements and values, so none is ever passed on: the cause
is read from SQLite's result code (https://sqlite.org/rescode.html) or PostgreSQL's
SQLSTATE (PostgreSQL documentation, appendix A).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from pseudo_service.core.errors import (
    DatabaseReplaced,
    PseudoError,
    StateConflict,
    StoreFull,
    StoreUnavailable,
)

_FULL = (
    "the database has no space left and nothing was written: "
    "free or add disk space, then send the call again"
)
_LOCKED = (
    "the database is locked by another process for too long and nothing was "
    "written: send the call again; if it persists, look for a backup or a shell "
    "that holds a transaction open"
)
_GONE = (
    "the database does not answer: send the call again; if it persists, check the "
    "database server and the network"
)
_TOO_SLOW = (
    "the database did not confirm the change in time: send the call again, which "
    "is safe whether or not the first one was stored"
)
_DAMAGED = (
    "the database cannot be read or written as it is: stop the service, check the "
    "disk and its permissions, and restore a backup if the file is damaged"
)
_NO_SCHEMA = (
    "the database lacks a table or a right that the service needs: "
    "run the migrations, and check the rights of the service's database role"
)
_CONFLICT = "a record of the same name was stored first: read it and decide again"
_CONTENDED = (
    "another process writes this process's audit chain and nothing was stored: "
    "restart the service, which begins a chain of its own"
)
_REPLACED = (
    "the database file was moved or replaced while the service ran and nothing was "
    "written: restart the service"
)
_READ_ANEW = (
    "the database was replaced, failed over or rolled back, or patients were erased, "
    "and the register is being read anew: send the call again"
)
_QUEUE_FULL = "too many changes wait for the database: send the call again later"
_CLOSED = "the store is closed: the service is shutting down, send the call again"

_SQLITE_FULL = {13}
_SQLITE_FULL_EXTENDED = {10 | 19 << 8}  # IOERR_SHMSIZE: no room for the -shm file
_SQLITE_LOCKED = {5, 6}
_SQLITE_DAMAGED = {8, 10, 11, 14, 23, 26}
_SQLITE_ERROR = 1
_POSTGRES_FULL = {"53100"}
_POSTGRES_LOCKED = {"55P03", "57014", "40001", "40P01"}
_POSTGRES_REPEATABLE = {"40001", "40P01"}
_POSTGRES_DAMAGED = {"58", "XX"}
_POSTGRES_NO_SCHEMA = {"42", "3D", "28"}


def translate(error: SQLAlchemyError) -> PseudoError:
    """Return our own error for a library's; the library's text is left behind."""
    if isinstance(error, IntegrityError):
        return StateConflict(_CONFLICT)
    if not isinstance(error, DBAPIError):  # the pool is exhausted, or the like
        return StoreUnavailable(_GONE)
    result = getattr(error.orig, "sqlite_errorcode", None)
    if result is not None:
        return _translate_sqlite(result)
    return _translate_postgres(getattr(error.orig, "sqlstate", None) or "")


def describe_slow() -> StoreUnavailable:
    """Return the error of a caller who has waited long enough."""
    return StoreUnavailable(_TOO_SLOW)


def describe_replaced() -> StoreUnavailable:
    """Return the error of a process whose SQLite file is not there any more."""
    return StoreUnavailable(_REPLACED)


def describe_read_anew() -> DatabaseReplaced:
    """Return the error of a change that relies on a register that is another now."""
    return DatabaseReplaced(_READ_ANEW)


def describe_queue_full() -> StoreUnavailable:
    """Return the error of a change that finds no place in the queue."""
    return StoreUnavailable(_QUEUE_FULL)


def describe_contended() -> StoreUnavailable:
    """Return the error of a group that found no place in its audit chain."""
    return StoreUnavailable(_CONTENDED)


def describe_closed() -> StoreUnavailable:
    """Return the error of a change that comes after ``close``."""
    return StoreUnavailable(_CLOSED)


def is_repeatable(error: SQLAlchemyError) -> bool:
    """Tell whether the same transaction may succeed if run again at once.

    True for a deadlock, for a connection that was already dead, and for two
    writers that met at one place of an audit chain.
    """
    if isinstance(error, IntegrityError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state in _POSTGRES_REPEATABLE


@contextmanager
def translating() -> Iterator[None]:
    """Raise our own errors for the library's within the block."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translate(error) from None


def _translate_sqlite(extended: int) -> PseudoError:
    result = extended & 0xFF
    if result in _SQLITE_FULL or extended in _SQLITE_FULL_EXTENDED:
        return StoreFull(_FULL)
    if result in _SQLITE_LOCKED:
        return StoreUnavailable(_LOCKED)
    if result in _SQLITE_DAMAGED:
        return StoreUnavailable(_DAMAGED)
    if result == _SQLITE_ERROR:
        return StoreUnavailable(_NO_SCHEMA)
    return StoreUnavailable(_GONE)


def _translate_postgres(state: str) -> PseudoError:
    if state in _POSTGRES_FULL:
        return StoreFull(_FULL)
    if state in _POSTGRES_LOCKED:
        return StoreUnavailable(_LOCKED)
    if state[:2] in _POSTGRES_DAMAGED:
        return StoreUnavailable(_DAMAGED)
    if state[:2] in _POSTGRES_NO_SCHEMA:
        return StoreUnavailable(_NO_SCHEMA)
    return StoreUnavailable(_GONE)
