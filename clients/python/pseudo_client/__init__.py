"""Client of the pseudonymisation service: tables, identifiers, administration.

It knows only the wire contract. See the README beside this package.
"""

from pseudo_client.administration import AdministrationCalls
from pseudo_client.administration_values import (
    ChainHead,
    Checkpoint,
    DateShift,
    KeyVersion,
    LoadedOptOuts,
    OptOuts,
    Policy,
    Project,
    RecordedEvent,
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
from pseudo_client.retries import NO_RETRIES, RetryPolicy
from pseudo_client.tables import DeidentifiedTable
from pseudo_client.values import (
    BatchResult,
    CheckedPseudonym,
    Pins,
    Pseudonymised,
    Receipt,
    RejectedCells,
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
    "DateShift",
    "DeidentifiedTable",
    "InputRefused",
    "KeyVersion",
    "LoadedOptOuts",
    "OptOuts",
    "Pins",
    "PinsChanged",
    "Policy",
    "Project",
    "ProtocolBroken",
    "PseudoClientError",
    "Pseudonymised",
    "Receipt",
    "RecordedEvent",
    "RejectedCells",
    "RetryPolicy",
    "ServiceBroken",
    "ServiceError",
    "ServiceUnavailable",
    "SourceUnusable",
    "StateRefused",
    "TokenExpired",
    "UnfinishedTable",
    "draw_operation_id",
]
