"""What the client raises: one class a cause, found by the service's own code.

The service names the cause in ``google.rpc.ErrorInfo.reason``, so no message is
ever read to find out what happened. Messages are safe to show: they name columns,
positions and codes, never values.
"""

from collections.abc import Mapping
from types import MappingProxyType


class PseudoClientError(Exception):
    """Whatever the client raises.

    Attributes:
        message: Safe to show to people and to log.
        code: The service's code, or the client's own for what it found itself.
        retryable: Whether the same request may succeed a little later.
        request_id: What the service's operators can look the call up by.
    """

    retryable = False

    def __init__(
        self, message: str, *, code: str = "CLIENT", request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.request_id = request_id


class UnfinishedTable(PseudoClientError):
    """There is no receipt, so the table is not whole: throw away what came."""


class ProtocolBroken(PseudoClientError):
    """The service answered what the contract does not allow."""


class SourceUnusable(PseudoClientError):
    """The source is no Arrow table, is empty, or changes its schema on the way."""


class ServiceError(PseudoClientError):
    """The service refused or failed; also any code that this client does not know."""


class InputRefused(ServiceError):
    """What was sent cannot be used: change it."""


class StateRefused(ServiceError):
    """A project, policy or list is not as the call needs it."""


class CallerRefused(ServiceError):
    """The caller may not do this, or may not do more of it today."""


class ServiceBroken(ServiceError):
    """The service found itself in a state that its operators must look at."""


class ServiceUnavailable(ServiceError):
    """The service cannot answer now; trying again may help."""

    retryable = True


class InvalidArgument(InputRefused):
    """A field of the request has an impossible value."""


class ColumnMissing(InputRefused):
    """The policy names a column that the table lacks."""


class ColumnUnlisted(InputRefused):
    """The table has a column that the policy does not name."""


class ColumnDuplicated(InputRefused):
    """Two columns have the same name."""


class ColumnTypeUnsuitable(InputRefused):
    """A column's type cannot take its treatment."""


class BatchMalformed(InputRefused):
    """The bytes are not one valid, uncompressed record batch of the schema."""


class BatchTooLarge(InputRefused):
    """A batch, or one row of it, exceeds a limit of the service."""


class BatchOutOfOrder(InputRefused):
    """A batch was skipped, repeated or sent after the end."""


class SchemaChanged(InputRefused):
    """A batch does not have the schema of the header."""


class StreamIncomplete(InputRefused):
    """The stream ended without its end message, or the totals do not agree."""


class IdentifierRefused(InputRefused):
    """An identifier, or its kind, cannot be used."""


class PseudonymRefused(InputRefused):
    """A text is not a pseudonym of the expected project, kind and version."""


class PolicyInvalid(InputRefused):
    """A policy cannot be read, or breaks a rule."""


class OptOutListRefused(InputRefused):
    """An opt-out list cannot be loaded as it is."""


class PatientTableRefused(InputRefused):
    """A table of known identifiers is missing, unasked for, or not as announced."""


class PurposeMissing(InputRefused):
    """A data call came without a usable purpose."""


class PinsChanged(StateRefused):
    """The service holds other pins than the caller expected: start afresh."""


class PolicyUnknown(StateRefused):
    """No policy is registered under this release and number."""


class PolicyExists(StateRefused):
    """Another text is registered under this release and number."""


class ProjectUnknown(StateRefused):
    """No project has this id."""


class ProjectExists(StateRefused):
    """A project with this id was made before."""


class ProjectNotActive(StateRefused):
    """The project is suspended or closed."""


class StateConflict(StateRefused):
    """Somebody else changed the state first: read it again."""


class OptOutListMissing(StateRefused):
    """The project applies opt-outs and no list is loaded."""


class OptOutListStale(StateRefused):
    """The loaded opt-out list has expired."""


class AliasTableRefused(InputRefused):
    """A table of superseded numbers cannot be loaded as it is."""


class RequestRefused(InputRefused):
    """A linkage request lacks what it must state, or asks for more than it may."""


class RequestUnknown(StateRefused):
    """No linkage request has this id, or the caller may not see it."""


class RequestState(StateRefused):
    """A linkage request is not in a state in which this can be done."""


class RequestExpired(StateRefused):
    """A linkage request's time is over."""


class GrantRefused(StateRefused):
    """The votes on record do not support the release."""


class GrantSpent(StateRefused):
    """The request was released before."""


class ClosingRefused(StateRefused):
    """A project cannot be destroyed yet, or not by this custodian."""


class ReviewRefused(CallerRefused):
    """The caller may not review this request, or reviewed something else."""


class OracleSuspected(CallerRefused):
    """The caller seems to try out identifiers, and is blocked."""


class Unauthenticated(CallerRefused):
    """The caller showed no valid token or certificate."""


class TokenExpired(CallerRefused):
    """The token was valid and has expired: get a new one."""


class AccessDenied(CallerRefused):
    """The caller's roles do not permit this."""


class QuotaExceeded(CallerRefused):
    """The caller has used up today's distinct identifiers in this project."""


class TooManyStreams(CallerRefused):
    """The caller has as many streams open as it may."""

    retryable = True


class TooManyCalls(CallerRefused):
    """The caller has as many calls open as it may, or the service takes no more."""

    retryable = True


class DeadlineTooShort(ServiceUnavailable):
    """Too little time was left to answer."""


CLASS_BY_REASON: Mapping[str, type[ServiceError]] = MappingProxyType(
    {
        "INVALID_ARGUMENT": InvalidArgument,
        "COLUMN_MISSING": ColumnMissing,
        "COLUMN_UNLISTED": ColumnUnlisted,
        "COLUMN_DUPLICATED": ColumnDuplicated,
        "COLUMN_TYPE_UNSUITABLE": ColumnTypeUnsuitable,
        "BATCH_MALFORMED": BatchMalformed,
        "BATCH_TOO_LARGE": BatchTooLarge,
        "BATCH_OUT_OF_ORDER": BatchOutOfOrder,
        "SCHEMA_CHANGED": SchemaChanged,
        "STREAM_INCOMPLETE": StreamIncomplete,
        "IDENTIFIER_REFUSED": IdentifierRefused,
        "PSEUDONYM_REFUSED": PseudonymRefused,
        "POLICY_INVALID": PolicyInvalid,
        "OPT_OUT_LIST_REFUSED": OptOutListRefused,
        "PURPOSE_MISSING": PurposeMissing,
        "PATIENT_TABLE_REFUSED": PatientTableRefused,
        "PINS_CHANGED": PinsChanged,
        "POLICY_UNKNOWN": PolicyUnknown,
        "POLICY_EXISTS": PolicyExists,
        "PROJECT_UNKNOWN": ProjectUnknown,
        "PROJECT_EXISTS": ProjectExists,
        "PROJECT_NOT_ACTIVE": ProjectNotActive,
        "STATE_CONFLICT": StateConflict,
        "OPT_OUT_LIST_MISSING": OptOutListMissing,
        "OPT_OUT_LIST_STALE": OptOutListStale,
        "REQUEST_UNKNOWN": RequestUnknown,
        "REQUEST_REFUSED": RequestRefused,
        "REQUEST_STATE": RequestState,
        "REQUEST_EXPIRED": RequestExpired,
        "REVIEW_REFUSED": ReviewRefused,
        "GRANT_REFUSED": GrantRefused,
        "GRANT_SPENT": GrantSpent,
        "ALIAS_TABLE_REFUSED": AliasTableRefused,
        "CLOSING_REFUSED": ClosingRefused,
        "ORACLE_SUSPECTED": OracleSuspected,
        "UNAUTHENTICATED": Unauthenticated,
        "TOKEN_EXPIRED": TokenExpired,
        "ACCESS_DENIED": AccessDenied,
        "QUOTA_EXCEEDED": QuotaExceeded,
        "TOO_MANY_STREAMS": TooManyStreams,
        "TOO_MANY_CALLS": TooManyCalls,
        "DEADLINE_TOO_SHORT": DeadlineTooShort,
        "KEY_VAULT_UNAVAILABLE": ServiceUnavailable,
        "STORE_UNAVAILABLE": ServiceUnavailable,
        "STORE_FULL": ServiceUnavailable,
        "DATABASE_REPLACED": ServiceUnavailable,
        "IDENTITY_PROVIDER_UNAVAILABLE": ServiceUnavailable,
        "CERTIFICATE_EXPIRED": ServiceUnavailable,
        "KEY_VAULT_REFUSED": ServiceBroken,
        "KEY_UNKNOWN": ServiceBroken,
        "KEY_ROW_REFUSED": ServiceBroken,
        "REGISTER_CORRUPT": ServiceBroken,
        "AUDIT_BROKEN": ServiceBroken,
        "SIGNATURE_REFUSED": ServiceBroken,
        "CONFIGURATION_INVALID": ServiceBroken,
        "ANSWER_UNSOUND": ServiceBroken,
        "INTERNAL": ServiceBroken,
    }
)
"""Every code of the service; one that is not here is a plain ``ServiceError``."""
