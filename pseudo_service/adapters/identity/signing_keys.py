"""The public keys of a token issuer: given, or fetched and kept fresh."""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneInTime
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol, TypeGuard

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pseudo_service.core.errors import IdentityProviderUnavailable
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.telemetry import IdentityEvent, Telemetry

SigningKey = RSAPublicKey | EllipticCurvePublicKey

_SMALLEST_RSA_BITS = 2048
_MOST_KEYS = 100


class KeySource(Protocol):
    """Finds the public key that a token says it was signed with."""

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key, or None if the issuer has no such key.

        Raises:
            IdentityProviderUnavailable: It cannot be found out.
        """
        ...


class FixedKeys:
    """Keys that are given once: a local issuer's."""

    def __init__(self, keys: Mapping[str, SigningKey]) -> None:
        self._keys = dict(keys)

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key, or None."""
        return self._keys.get(key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTimes:
    """How fetched keys age.

    Up to ``fresh_for`` they are used as they are; up to ``usable_for`` while they
    are fetched anew in the background, so that an issuer's outage stops nobody at
    first; after that they are not used. An unknown key id causes at most one fetch
    in ``cooldown``, and a failed fetch is tried again after ``retry_after``.
    """

    fresh_for: timedelta = timedelta(minutes=30)
    usable_for: timedelta = timedelta(hours=12)
    cooldown: timedelta = timedelta(seconds=30)
    retry_after: timedelta = timedelta(seconds=5)
    timeout: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    keys: Mapping[str, SigningKey]
    fetched_at: datetime


class FetchedKeys:
    """A JWKS document that is fetched by one thread at a time and waited for by few.

    A caller whose key is known never waits. A caller who needs a fetch waits for
    the one under way, at most ``timeout``.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        clock: Clock,
        telemetry: Telemetry,
        times: FetchTimes | None = None,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._telemetry = telemetry
        self._times = times or FetchTimes()
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._under_way: Future[None] | None = None
        self._not_before: datetime | None = None

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key; see ``KeySource.find``."""
        now = self._clock.now()
        snapshot = self._usable(now)
        if snapshot is not None and key_id in snapshot.keys:
            if now - snapshot.fetched_at > self._times.fresh_for:
                self._telemetry.count_identity_event(IdentityEvent.STALE_KEYS_USED)
                self._start_fetch(now)
            return snapshot.keys[key_id]
        self._wait_for(self._start_fetch(now))
        snapshot = self._usable(now)
        if snapshot is None:
            msg = "the token issuer's keys cannot be fetched: try again shortly"
            raise IdentityProviderUnavailable(msg)
        if key_id not in snapshot.keys:
            self._telemetry.count_identity_event(IdentityEvent.UNKNOWN_KEY)
        return snapshot.keys.get(key_id)

    def _usable(self, now: datetime) -> _Snapshot | None:
        snapshot = self._snapshot
        if snapshot is None or now - snapshot.fetched_at > self._times.usable_for:
            return None
        return snapshot

    def _start_fetch(self, now: datetime) -> Future[None] | None:
        """Return the fetch under way, a new one, or None while it is too early."""
        with self._lock:
            if self._under_way is not None:
                return self._under_way
            if self._not_before is not None and now < self._not_before:
                return None
            self._not_before = now + self._times.retry_after
            future: Future[None] = Future()
            self._under_way = future
        threading.Thread(
            target=self._run_fetch, args=(future,), name="signing-keys", daemon=True
        ).start()
        return future

    def _run_fetch(self, future: Future[None]) -> None:
        # Nothing may escape: a thread's exception would be printed with its text.
        try:
            keys = parse_keys(self._fetch())
            event = IdentityEvent.KEYS_FETCHED
        except Exception:  # noqa: BLE001 - whatever it is, there are no new keys
            keys = MappingProxyType({})
            event = IdentityEvent.KEYS_NOT_FETCHED
        now = self._clock.now()
        with self._lock:
            if keys:
                self._snapshot = _Snapshot(keys, now)
                self._not_before = now + self._times.cooldown
            self._under_way = None
        self._telemetry.count_identity_event(event)
        future.set_result(None)

    def _wait_for(self, future: Future[None] | None) -> None:
        if future is None:
            return
        try:
            future.result(self._times.timeout.total_seconds())
        except NotDoneInTime:
            return


def parse_keys(document: bytes) -> Mapping[str, SigningKey]:
    """Return the usable signing keys of a JWKS document (RFC 7517), by key id.

    Keys of other kinds, for other uses, too short, broken or without an id are
    passed over, as the RFC demands. Symmetric keys are never usable.

    Raises:
        ValueError: It is not a JWKS document.
    """
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        msg = "not a JWKS document"
        raise ValueError(msg)  # noqa: TRY004 - the content is wrong, not a type of ours
    keys = {}
    for entry in entries[:_MOST_KEYS]:
        key = _parse_key(entry)
        if key is not None:
            keys[str(entry["kid"])] = key
    return MappingProxyType(keys)


def _parse_key(entry: object) -> SigningKey | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return None
    reader = _READERS.get(str(entry.get("kty")))
    if reader is None or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    try:
        key: object = reader(entry)
    except Exception:  # noqa: BLE001 - PyJWT documents no closed list
        return None
    return key if _is_strong(key) else None


_READERS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
}


def _is_strong(key: object) -> TypeGuard[SigningKey]:
    if isinstance(key, RSAPublicKey):
        return key.key_size >= _SMALLEST_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
