"""Deletes a key in Azure Key Vault, and reads when the vault will purge it.

Soft delete (7 to 90 days, fixed when the vault was made) keeps a deleted key, and
its name, until the purge. The answer to a deletion comes before it is done: what
the key wraps is out of reach only once the vault lists it among its deleted keys.
"""

from collections.abc import Mapping
from typing import Final

from pseudo_service.adapters.key_vaults.azure_answers import read_purge_date
from pseudo_service.adapters.key_vaults.azure_connection import Conversation, Question
from pseudo_service.core.errors import KeyUnknown, KeyVaultUnavailable
from pseudo_service.ports.key_vault import DeletedKey

_PAUSE: Final = 1.0


def delete_key(talk: Conversation, name: str) -> DeletedKey:
    """Delete a key, wait until it is out of use, and return its purge date.

    Raises:
        KeyUnknown: There never was such a key, or it has been purged.
        KeyVaultUnavailable: The deletion is not done yet; ask again.
    """
    try:
        answer = talk.ask(_ask("DELETE", f"/keys/{name}", name, "keys/delete"))
    except KeyUnknown:
        # Deleted before, perhaps by a call of this service that lost its answer.
        return _read_deleted_key(name, talk.ask(_ask_deleted(name)))
    if answer.get("recoveryId") is None:
        return _read_deleted_key(
            name, answer
        )  # a vault without soft delete: it is gone
    return _read_deleted_key(name, {**answer, **_await_deletion(talk, name)})


def _await_deletion(talk: Conversation, name: str) -> Mapping[str, object]:
    while True:
        try:
            return talk.ask(_ask_deleted(name))
        except KeyUnknown:
            if not talk.pause(_PAUSE):
                break
    msg = f'key "{name}" is being deleted and not gone yet: try again in a minute'
    raise KeyVaultUnavailable(msg)


def _read_deleted_key(name: str, answer: Mapping[str, object]) -> DeletedKey:
    return DeletedKey(name=name, purged_at=read_purge_date(answer))


def _ask_deleted(name: str) -> Question:
    return _ask("GET", f"/deletedkeys/{name}", name, "keys/get")


def _ask(method: str, path: str, name: str, permission: str) -> Question:
    return Question(method=method, path=path, permission=permission, key_name=name)
