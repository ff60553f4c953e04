"""Sends everything that Python and its libraries would print through the safe log."""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from pseudo_service.adapters.telemetry.logs import SafeLog
from pseudo_service.core.exception_names import (
    name_place,
    name_places,
    name_type,
)
from pseudo_service.ports.telemetry import Level


class _LibraryHandler(logging.Handler):
    """Lets a library say that something happened, not what."""

    def __init__(self, log: SafeLog) -> None:
        super().__init__(level=logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write who spoke, from which line, and the type of a raised exception."""
        error = record.exc_info[0] if record.exc_info else None
        self._log.write(
            "library_message",
            Level.ERROR if record.levelno >= logging.ERROR else Level.WARNING,
            {
                "logger": record.name,
                "place": name_place(record.pathname, record.lineno),
                "exception_type": name_type(error) if error else None,
            },
        )


class LogRouting:
    """Sends everything that Python itself would print through the safe log.

    Covers the logging module's root, warnings, and exceptions that nobody caught
    in the main thread, in other threads and in finalisers; their text and
    traceback are never printed.
    """

    def __init__(self, log: SafeLog) -> None:
        self._log = log
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        """Take over; once a process."""
        self._replace_root_handlers()
        for place, name, hook in (
            (sys, "excepthook", self._on_exception),
            (threading, "excepthook", self._on_thread_exception),
            (sys, "unraisablehook", self._on_unraisable),
        ):
            self._undo.append(_restoring(place, name))
            setattr(place, name, hook)

    def remove(self) -> None:
        """Give everything back as it was."""
        while self._undo:
            self._undo.pop()()

    def _replace_root_handlers(self) -> None:
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        handler = _LibraryHandler(self._log)
        root.handlers = [handler]
        # Of a logger that does not propagate, this one prints what is left over.
        self._undo.append(_restoring(logging, "lastResort"))
        logging.lastResort = handler
        root.setLevel(logging.WARNING)
        # Libraries that bring a handler of their own would print around us.
        own = {
            name: list(logger.handlers)
            for name, logger in logging.root.manager.loggerDict.items()
            if isinstance(logger, logging.Logger) and logger.handlers
        }
        for name in own:
            logging.getLogger(name).handlers = []
        logging.captureWarnings(capture=True)

        def restore() -> None:
            root.handlers = handlers
            root.setLevel(level)
            for name, found in own.items():
                logging.getLogger(name).handlers = found
            logging.captureWarnings(capture=False)

        self._undo.append(restore)

    def _on_exception(
        self,
        kind: type[BaseException],
        _error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        self._write("uncaught_exception", kind, trace)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        self._write("uncaught_exception", args.exc_type, args.exc_traceback)

    def _on_unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        self._write("unraisable_exception", args.exc_type, args.exc_traceback)

    def _write(
        self, event: str, kind: type[BaseException], trace: TracebackType | None
    ) -> None:
        shown = {"exception_type": name_type(kind), "place": name_places(trace)}
        self._log.write(event, Level.ERROR, shown)


def _restoring(place: object, name: str) -> Callable[[], None]:
    before = getattr(place, name)
    return lambda: setattr(place, name, before)
