"""What an operator reads when Azure Key Vault refuses.

Nothing the vault or the SDK wrote is repeated: it may quote tokens and values. The
inner error code is looked up in a table, never shown.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pseudo_service.core.errors import (
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
)

UNAVAILABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
THROTTLED = 429
_BAD_REQUEST, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 400, 401, 403, 404, 409

_FORBIDDEN_BECAUSE: Mapping[str, str] = MappingProxyType(
    {
        "ForbiddenByFirewall": "the vault's firewall shuts this network out: add it",
        "ForbiddenByConnection": "the vault takes private connections only: use them",
        "KeyDisabled": "the key version is disabled: enable it",
        "KeyExpired": "the key version has expired: rotate the key",
        "KeyNotYetValid": "the key version is not valid yet: mind its start",
    }
)
_REFUSED_BECAUSE: Mapping[int, str] = MappingProxyType(
    {
        _BAD_REQUEST: "it takes the request for malformed: the stored bytes are not "
        "of this key version, or the key is of another type",
        _UNAUTHORISED: "it does not accept the service's identity: "
        "check the configured identity and its tenant",
        _CONFLICT: "a deleted key holds this name: recover it, or purge it first",
    }
)


def explain_status(
    status: int, *, permission: str, key_name: str, inner_code: str
) -> PseudoError:
    """Return the error for a status of the vault.

    Args:
        status: The HTTP status, not 200.
        permission: What the operation needs, such as ``keys/get``.
        key_name: The key that it was asked about.
        inner_code: ``error.innererror.code`` of the answer, or an empty string.
    """
    about = f'{permission} on key "{key_name}"'
    if status == _CONFLICT and inner_code == "ObjectIsBeingDeleted":
        msg = f'key "{key_name}" is being deleted just now: try again in a minute'
        return KeyVaultUnavailable(msg)
    if status in UNAVAILABLE_STATUSES:
        how = "throttles" if status == THROTTLED else f"fails (HTTP {status})"
        return KeyVaultUnavailable(f"the key vault {how} at {about}: try again later")
    if status == _NOT_FOUND:
        msg = f'the key vault has no key "{key_name}", or not this version of it'
        return KeyUnknown(f"{msg}: create or recover it, or check the vault's address")
    if status == _FORBIDDEN:
        grant = (
            f'grant {permission} on "{key_name}" to the service\'s identity, '
            "and check that the key version is enabled"
        )
        because = _FORBIDDEN_BECAUSE.get(inner_code, grant)
        return KeyVaultRefused(f"the key vault forbids {about}: {because}")
    because = _REFUSED_BECAUSE.get(status, f"it answered HTTP {status}")
    return KeyVaultRefused(f"the key vault refuses {about}: {because}")


def read_inner_code(answer: object) -> str:
    """Return ``error.innererror.code`` of an error answer, or an empty string."""
    for part in ("error", "innererror", "code"):
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer if isinstance(answer, str) else ""
