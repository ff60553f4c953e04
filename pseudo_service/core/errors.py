"""Every way in which the service refuses, one class a cause.

A message names fields, positions and codes, never values, and says what to do
next. ``ErrorCode`` is part of the wire contract: a code is never renamed.
"""

import re
from collections.abc import Iterable
from typing import ClassVar

from pseudo_service.core.digit_runs import COLUMN_NAME
from pseudo_service.core.error_codes import ErrorCode

_PLAIN_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .\-/()]{0,63}")


class PseudoError(Exception):
    """A refusal, with a code and a message that is safe to show."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def name_field(name: str, position: int) -> str:
    """Return a column's name if it is plainly a name, else its position.

    A file without a header line has a patient's values for column names. So a name
    with a long run of digits or with unusual characters is never repeated.

    Args:
        name: The column's name.
        position: Its place in the table, from 0; the answer counts from 1.
    """
    if _PLAIN_FIELD_NAME.fullmatch(name) and not COLUMN_NAME.is_in(name):
        return f'"{name}"'
    return f"number {position + 1} (name withheld)"


def name_fields(fields: Iterable[tuple[int, str]]) -> str:
    """Return several columns, by position and name, as one safe phrase."""
    return ", ".join(name_field(name, position) for position, name in fields)


class InvalidArgument(PseudoError):
    """A field of the request has an impossible value."""

    code = ErrorCode.INVALID_ARGUMENT


class ColumnMissing(PseudoError):
    """The policy names a column that the table lacks."""

    code = ErrorCode.COLUMN_MISSING


class ColumnUnlisted(PseudoError):
    """The table has a column that the policy does not name."""

    code = ErrorCode.COLUMN_UNLISTED


class ColumnDuplicated(PseudoError):
    """Two columns have the same name."""

    code = ErrorCode.COLUMN_DUPLICATED


class ColumnTypeUnsuitable(PseudoError):
    """A column's type cannot take its treatment."""

    code = ErrorCode.COLUMN_TYPE_UNSUITABLE


class BatchMalformed(PseudoError):
    """The bytes are not one valid, uncompressed record batch of the schema."""

    code = ErrorCode.BATCH_MALFORMED


class BatchTooLarge(PseudoError):
    """A batch, or a field in it, exceeds a limit of the service."""

    code = ErrorCode.BATCH_TOO_LARGE


class BatchOutOfOrder(PseudoError):
    """A batch was skipped, repeated or sent after the end."""

    code = ErrorCode.BATCH_OUT_OF_ORDER


class SchemaChanged(PseudoError):
    """A batch does not have the schema of the header."""

    code = ErrorCode.SCHEMA_CHANGED


class StreamIncomplete(PseudoError):
    """The stream ended without its end message, or the totals do not agree."""

    code = ErrorCode.STREAM_INCOMPLETE


class PatientTableRefused(PseudoError):
    """A table of known identifiers is missing, unasked for, or not as announced."""

    code = ErrorCode.PATIENT_TABLE_REFUSED


class PinsChanged(PseudoError):
    """The client demanded other pins than the service holds now."""

    code = ErrorCode.PINS_CHANGED


class IdentifierRefused(PseudoError):
    """An identifier, or its kind, cannot be used."""

    code = ErrorCode.IDENTIFIER_REFUSED


class PseudonymRefused(PseudoError):
    """A text is not a pseudonym of the expected project, kind and version."""

    code = ErrorCode.PSEUDONYM_REFUSED


class PolicyInvalid(PseudoError):
    """A policy cannot be read, or breaks a rule."""

    code = ErrorCode.POLICY_INVALID


class PolicyUnknown(PseudoError):
    """No policy is registered under this release and number."""

    code = ErrorCode.POLICY_UNKNOWN


class PolicyExists(PseudoError):
    """Another text is registered under this release and number."""

    code = ErrorCode.POLICY_EXISTS


class ProjectUnknown(PseudoError):
    """No project has this id."""

    code = ErrorCode.PROJECT_UNKNOWN


class ProjectExists(PseudoError):
    """A project with this id was made before."""

    code = ErrorCode.PROJECT_EXISTS


class ProjectNotActive(PseudoError):
    """The project is suspended or closed."""

    code = ErrorCode.PROJECT_NOT_ACTIVE


class StateConflict(PseudoError):
    """Another call changed the state first."""

    code = ErrorCode.STATE_CONFLICT


class OptOutListMissing(PseudoError):
    """The project applies opt-outs and no list is loaded."""

    code = ErrorCode.OPT_OUT_LIST_MISSING


class OptOutListStale(PseudoError):
    """The loaded opt-out list has expired."""

    code = ErrorCode.OPT_OUT_LIST_STALE


class OptOutListRefused(PseudoError):
    """An opt-out list cannot be loaded as it is."""

    code = ErrorCode.OPT_OUT_LIST_REFUSED


class RequestUnknown(PseudoError):
    """No linkage request has this id, or the caller may not see it."""

    code = ErrorCode.REQUEST_UNKNOWN


class RequestRefused(PseudoError):
    """A linkage request lacks what it must state, or asks for more than it may."""

    code = ErrorCode.REQUEST_REFUSED


class RequestState(PseudoError):
    """A linkage request is not in a state in which this can be done."""

    code = ErrorCode.REQUEST_STATE


class RequestExpired(PseudoError):
    """A linkage request's time is over."""

    code = ErrorCode.REQUEST_EXPIRED


class ReviewRefused(PseudoError):
    """This person may not review this request, or reviewed something else."""

    code = ErrorCode.REVIEW_REFUSED


class GrantRefused(PseudoError):
    """The votes on record do not support the release, or the record is not sound."""

    code = ErrorCode.GRANT_REFUSED


class GrantSpent(PseudoError):
    """The request was released before; it is released once."""

    code = ErrorCode.GRANT_SPENT


class AliasTableRefused(PseudoError):
    """A table of superseded numbers cannot be loaded or used as it is."""

    code = ErrorCode.ALIAS_TABLE_REFUSED


class ClosingRefused(PseudoError):
    """A project cannot be destroyed yet, or not by this custodian."""

    code = ErrorCode.CLOSING_REFUSED


class Unauthenticated(PseudoError):
    """The caller showed no valid token or certificate."""

    code = ErrorCode.UNAUTHENTICATED


class TokenExpired(PseudoError):
    """The caller's token was valid and has expired."""

    code = ErrorCode.TOKEN_EXPIRED


class AccessDenied(PseudoError):
    """The caller's roles do not permit this."""

    code = ErrorCode.ACCESS_DENIED


class PurposeMissing(PseudoError):
    """A data call came without a usable purpose."""

    code = ErrorCode.PURPOSE_MISSING


class QuotaExceeded(PseudoError):
    """The caller has used up today's distinct identifiers in this project."""

    code = ErrorCode.QUOTA_EXCEEDED


class OracleSuspected(PseudoError):
    """The caller tries out identifiers, and the deployment blocks that."""

    code = ErrorCode.ORACLE_SUSPECTED


class TooManyStreams(PseudoError):
    """The caller, or all callers together, have as many streams open as they may."""

    code = ErrorCode.TOO_MANY_STREAMS


class TooManyCalls(PseudoError):
    """The caller, or all callers together, have as many calls open as they may."""

    code = ErrorCode.TOO_MANY_CALLS


class IdentityProviderUnavailable(PseudoError):
    """The issuer's signing keys cannot be fetched; trying again may help."""

    code = ErrorCode.IDENTITY_PROVIDER_UNAVAILABLE


class KeyVaultUnavailable(PseudoError):
    """The key vault does not answer, throttles or fails; trying again may help."""

    code = ErrorCode.KEY_VAULT_UNAVAILABLE


class KeyVaultRefused(PseudoError):
    """The key vault forbids the operation, or the key is disabled or expired."""

    code = ErrorCode.KEY_VAULT_REFUSED


class KeyUnknown(PseudoError):
    """There is no such key, or no such version of it."""

    code = ErrorCode.KEY_UNKNOWN


class KeyRowRefused(PseudoError):
    """A stored key row fails its signature or its check value."""

    code = ErrorCode.KEY_ROW_REFUSED


class StoreUnavailable(PseudoError):
    """The database does not answer, or is locked by another process."""

    code = ErrorCode.STORE_UNAVAILABLE


class StoreFull(PseudoError):
    """The database cannot write for want of space."""

    code = ErrorCode.STORE_FULL


class DatabaseReplaced(PseudoError):
    """The database failed over or was restored: who is known must be read anew."""

    code = ErrorCode.DATABASE_REPLACED


class RegisterCorrupt(PseudoError):
    """A segment of the register fails its check."""

    code = ErrorCode.REGISTER_CORRUPT


class AuditBroken(PseudoError):
    """The audit trail fails its verification, or cannot be continued."""

    code = ErrorCode.AUDIT_BROKEN


class SignatureRefused(PseudoError):
    """A signature or certificate does not verify."""

    code = ErrorCode.SIGNATURE_REFUSED


class CertificateExpired(PseudoError):
    """The process signing certificate has expired and cannot be renewed."""

    code = ErrorCode.CERTIFICATE_EXPIRED


class DeadlineTooShort(PseudoError):
    """Too little time is left to answer."""

    code = ErrorCode.DEADLINE_TOO_SHORT


class ConfigurationInvalid(PseudoError):
    """The configuration cannot be used."""

    code = ErrorCode.CONFIGURATION_INVALID


class AnswerUnsound(PseudoError):
    """An answer failed its own check before it left; it was withheld."""

    code = ErrorCode.ANSWER_UNSOUND
