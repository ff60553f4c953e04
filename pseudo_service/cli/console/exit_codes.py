"""What ``pseudo`` exits with, and the one line that it says when it fails."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from pseudo_service.core.digit_runs import TYPED_TEXT
from pseudo_service.core.error_codes import ErrorCode


class ExitCode(IntEnum):
    """The exit codes, stable for scripts."""

    OK = 0
    FAULTS_FOUND = 1
    USAGE = 2
    REFUSED = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 a verification failed or faults were found, "
    "2 wrong usage or configuration, 3 refused by the service, "
    "4 unavailable (try again), 130 interrupted."
)


def show_examples(*lines: str) -> str:
    r"""Return a help text's closing part; ``\b`` keeps the lines apart."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


# Every code that is not simply a refusal.
_EXITS: Mapping[ErrorCode, ExitCode] = MappingProxyType(
    {
        ErrorCode.CONFIGURATION_INVALID: ExitCode.USAGE,
        ErrorCode.AUDIT_BROKEN: ExitCode.FAULTS_FOUND,
        ErrorCode.SIGNATURE_REFUSED: ExitCode.FAULTS_FOUND,
        ErrorCode.KEY_VAULT_UNAVAILABLE: ExitCode.UNAVAILABLE,
        ErrorCode.STORE_UNAVAILABLE: ExitCode.UNAVAILABLE,
        ErrorCode.STORE_FULL: ExitCode.UNAVAILABLE,
        ErrorCode.CERTIFICATE_EXPIRED: ExitCode.UNAVAILABLE,
        ErrorCode.DEADLINE_TOO_SHORT: ExitCode.UNAVAILABLE,
        ErrorCode.TOO_MANY_STREAMS: ExitCode.UNAVAILABLE,
        ErrorCode.TOO_MANY_CALLS: ExitCode.UNAVAILABLE,
    }
)

# What this process itself found wrong with a file or an option, before any call.
_FOUND_HERE = frozenset(
    {
        ErrorCode.INVALID_ARGUMENT,
        ErrorCode.POLICY_INVALID,
        ErrorCode.COLUMN_MISSING,
        ErrorCode.COLUMN_UNLISTED,
        ErrorCode.COLUMN_DUPLICATED,
        ErrorCode.COLUMN_TYPE_UNSUITABLE,
    }
)


class Failure(Exception):
    """A command cannot go on: the line to say and the exit code.

    The message names files, columns and positions and says what to do; it never
    repeats a value.
    """

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


def exit_code_of(code: ErrorCode, *, found_here: bool = False) -> ExitCode:
    """Return what ``pseudo`` exits with after a refusal with this code.

    ``found_here`` says that no service was asked: then a wrong file is wrong usage.
    """
    if found_here and code in _FOUND_HERE:
        return ExitCode.USAGE
    return _EXITS.get(code, ExitCode.REFUSED)


def withhold_numbers(text: str) -> str:
    """Return the text without digit runs long enough to be an identifier.

    What a person typed on a command line comes back in usage errors.
    """
    return TYPED_TEXT.replace(text, "(number withheld)")
