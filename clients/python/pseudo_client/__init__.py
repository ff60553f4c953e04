"""Client of the pseudonymisation service: tables, identifiers, administration.

It knows only the wire contract. See the README beside this package.
"""

from pseudo_client.administration import AdministrationCalls
from pseudo_client.administration_values import (
    ChainHead,
    Checkpoint,
    Closing,
    DateShift,
    KeyVersion,
    LoadedAliases,
    LoadedOptOuts,
    OptOuts,
    Policy,
    Project,
    RecordedEvent,
    SignedStatement,
)
from pseudo_client.client import Client, draw_operation_id
from pseudo_client.errors import (
    CLASS_BY_REASON,
    CallerRefused,
    InputRefused,
    PinsChanged,
    ProtocolBroken,
    PseudoClientError,
    ServiceBroken,
    ServiceError,
    ServiceUnavailable,
    SourceUnusable,
    StateRefused,
    TokenExpired,
    UnfinishedTable,
)
from pseudo_client.linkage import LinkageCalls
from pseudo_client.linkage_results import (
    LinkageResult,
    ResultUnreadable,
    open_linkage_result,
)
from pseudo_client.linkage_values import (
    Linkage,
    LinkageDetails,
    Overlap,
    SealedResult,
    SubjectHistory,
    SubjectRelease,
    Vote,
)
from pseudo_client.patients import PatientTable
from pseudo_client.register import RegisterCalls
from pseudo_client.register_values import (
    CompactionReport,
    ErasureReport,
    RecallReport,
    RegisterFault,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_client.retries import NO_RETRIES, RetryPolicy
from pseudo_client.tables import DeidentifiedTable
from pseudo_client.values import (
    BatchResult,
    CheckedPseudonym,
    KnownIdentifiers,
    Pins,
    Pseudonymised,
    Receipt,
    RedactedText,
    RedactedTexts,
    RejectedCells,
    Text,
)

__all__ = [
    "CLASS_BY_REASON",
    "NO_RETRIES",
    "AdministrationCalls",
    "BatchResult",
    "CallerRefused",
    "ChainHead",
    "CheckedPseudonym",
    "Checkpoint",
    "Client",
    "Closing",
    "CompactionReport",
    "DateShift",
    "DeidentifiedTable",
    "ErasureReport",
    "InputRefused",
    "KeyVersion",
    "KnownIdentifiers",
    "Linkage",
    "LinkageCalls",
    "LinkageDetails",
    "LinkageResult",
    "LoadedAliases",
    "LoadedOptOuts",
    "OptOuts",
    "Overlap",
    "PatientTable",
    "Pins",
    "PinsChanged",
    "Policy",
    "Project",
    "ProtocolBroken",
    "PseudoClientError",
    "Pseudonymised",
    "RecallReport",
    "Receipt",
    "RecordedEvent",
    "RedactedText",
    "RedactedTexts",
    "RegisterCalls",
    "RegisterFault",
    "RegisterProgress",
    "RegisterVerdict",
    "RejectedCells",
    "ResultUnreadable",
    "RetryPolicy",
    "SealedResult",
    "ServiceBroken",
    "ServiceError",
    "ServiceUnavailable",
    "SignedStatement",
    "SourceUnusable",
    "StateRefused",
    "SubjectHistory",
    "SubjectRelease",
    "Text",
    "TokenExpired",
    "UnfinishedTable",
    "Vote",
    "draw_operation_id",
    "open_linkage_result",
]
