"""One database: an engine to read with, and the writer."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from pseudo_service.adapters.sql.engines import open_engine
from pseudo_service.adapters.sql.failures import translating
from pseudo_service.adapters.sql.migrate import check_schema
from pseudo_service.adapters.sql.writer import Change, PendingWrite, Writer
from pseudo_service.core.errors import PseudoError

DEFAULT_PATIENCE = 10.0


class SqlDatabase:
    """What the stores share. Migrate first (``migrate(url)``), then open.

    Every change goes through ``write``, which appends its audit events in the same
    transaction; ``read`` gives a connection that takes no write lock.
    """

    def __init__(
        self, url: str, *, chain: str, patience: float = DEFAULT_PATIENCE
    ) -> None:
        """Open the database.

        Args:
            url: ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``.
            chain: The name of this process's audit chain, drawn at random at
                its start and never shared with a live process.
            patience: Seconds after which a caller stops waiting. The database
                gets half of them for a lock, so that callers hear the cause.

        Raises:
            ConfigurationInvalid: The URL is not supported, or the schema is not
                the one that this version of the service needs.
            StoreUnavailable: The database does not answer.
        """
        self._engine = open_engine(url, patience=patience / 2)
        try:
            with self.read() as connection:
                check_schema(connection)
        except PseudoError:
            self._engine.dispose()
            raise
        self._writer = Writer(self._engine, chain=chain, patience=patience)

    def write(
        self, change: Change, *, order: str = "", extra_patience: float = 0.0
    ) -> PendingWrite:
        """Queue a change; see ``Writer.submit``."""
        return self._writer.submit(change, order=order, extra_patience=extra_patience)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for a short read; library errors become ours."""
        with translating(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Commit what waits and close all connections."""
        self._writer.close()
        self._engine.dispose()
