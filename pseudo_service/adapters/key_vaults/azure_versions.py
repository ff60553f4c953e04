"""Finds versions of keys in Azure Key Vault, and remembers their public halves.

A version never changes its public key, so what is remembered by versioned id cannot
go stale. Whether a version may still sign or wrap is asked anew every time.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pseudo_service.adapters.key_vaults.algorithms import list_operations
from pseudo_service.adapters.key_vaults.azure_answers import (
    KeyAnswer,
    VaultAddress,
    VersionName,
    read_key,
    read_named_version,
    read_validity,
    refuse_answer,
)
from pseudo_service.adapters.key_vaults.azure_connection import Conversation, Question
from pseudo_service.core.errors import KeyVaultRefused
from pseudo_service.ports.clock import Clock

_MOST_REMEMBERED: Final = 256
_MOST_PAGES: Final = 40
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class KeyVersions:
    """The versions of one vault's keys; safe between threads."""

    def __init__(self, *, address: VaultAddress, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._remembered: OrderedDict[str, RSAPublicKey] = OrderedDict()
        self._lock = threading.Lock()

    def find_current(self, talk: Conversation, name: str) -> KeyAnswer:
        """Return the newest version that may be used for something new.

        Raises:
            KeyVaultRefused: No version is usable, or the key is for another use.
        """
        key = self._read(talk, name, "")
        refusal = key.validity.explain_refusal(self._clock.now())
        if refusal is not None:
            key = self._find_older(talk, name, refusal)
        needed = list_operations(name)[0]
        if key.operations is not None and needed not in key.operations:
            msg = f'key "{name}" lacks the operation {needed}: allow it on the key'
            raise KeyVaultRefused(msg)
        return key

    def find_public_key(self, talk: Conversation, version: VersionName) -> RSAPublicKey:
        """Return the public key of a version, whatever its state."""
        return self._read(talk, version.name, version.version).public_key

    def find_remembered_key(self, key_id: str) -> RSAPublicKey | None:
        """Return a public key that was read before, without asking the vault."""
        with self._lock:
            return self._remembered.get(key_id)

    def _read(self, talk: Conversation, name: str, version: str) -> KeyAnswer:
        path = f"/keys/{name}/{version}"
        key = read_key(talk.ask(_ask(path, name, "keys/get")), self._address)
        answered = self._address.read_key_id(key.key_id)
        if answered.name != name or version not in ("", answered.version):
            refuse_answer("key id")
        self._remember(key)
        return key

    def _remember(self, key: KeyAnswer) -> None:
        with self._lock:
            self._remembered[key.key_id] = key.public_key
            self._remembered.move_to_end(key.key_id)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def _find_older(self, talk: Conversation, name: str, refusal: str) -> KeyAnswer:
        usable = list(self._list_usable(talk, name))
        if not usable:
            msg = (
                f'key "{name}": its newest version is {refusal} and no other is '
                "usable: enable a version, or rotate the key"
            )
            raise KeyVaultRefused(msg)
        _, newest = max(usable)
        return self._read(talk, name, newest)

    def _list_usable(
        self, talk: Conversation, name: str
    ) -> Iterator[tuple[datetime, str]]:
        """Yield when each usable version was made, and which it is."""
        now = self._clock.now()
        for item in self._list_items(talk, name):
            version = read_named_version(item, self._address)
            validity = read_validity(item)
            if version.name != name:
                refuse_answer("list of versions")
            if validity.explain_refusal(now) is None:
                yield validity.created or _LONG_AGO, version.version

    def _list_items(
        self, talk: Conversation, name: str
    ) -> Iterator[Mapping[str, object]]:
        first = f"/keys/{name}/versions"
        path: object = first
        for _ in range(_MOST_PAGES):
            answer = talk.ask(_ask(str(path), name, "keys/list"))
            items, path = answer.get("value"), answer.get("nextLink")
            if not isinstance(items, list):
                refuse_answer("list of versions")
            yield from (item for item in items if isinstance(item, Mapping))
            if not path:
                return
            if not str(path).startswith(f"{self._address.url}{first}?"):
                refuse_answer("link to the next page")
        refuse_answer("list of versions: it has too many pages")


def _ask(path: str, name: str, permission: str) -> Question:
    return Question(method="GET", path=path, permission=permission, key_name=name)
