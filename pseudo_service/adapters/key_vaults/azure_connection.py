"""Speaks to one Azure Key Vault: few clients, short waits, own retries.

The SDK's own ways are turned off where they bite. It waits 300 s for a connection
and again for an answer; it repeats a throttled POST only when ``Retry-After`` came
with the 429; it would follow a redirect; and two threads in one client can take
each other's token away. Here a client serves one call at a time, each request has a
short time-out, and one loop decides what is repeated, within one deadline.
"""

import itertools
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import CredentialUnavailableError
from azure.keyvault.keys import KeyClient

from pseudo_service.adapters.key_vaults.azure_answers import VaultAddress
from pseudo_service.adapters.key_vaults.azure_refusals import (
    THROTTLED,
    UNAVAILABLE_STATUSES,
    explain_status,
    read_inner_code,
)
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
)
from pseudo_service.ports.entropy import Entropy

_OK = 200
_MALFORMED = "the key vault's answer is no JSON object: check the configured address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a call may take, in seconds.

    ``total`` bounds a whole call, with its retries and pauses; a request that has
    begun may end at most one connection and one silence later.
    """

    connect: float = 3
    read: float = 5
    total: float = 15
    first_pause: float = 0.25
    longest_pause: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request: its permission, its key, and whether it may be repeated.

    A creation is never repeated blindly: one that seems to have failed may have
    been done, and a second would make a second version. A throttled one was not.
    """

    method: str
    path: str
    permission: str
    key_name: str
    body: Mapping[str, object] | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    error: PseudoError
    may_repeat: bool = False
    retry_after: float = 0


class AzureConnection:
    """At most ``most_clients`` SDK clients, each lent to one conversation at a time."""

    def __init__(
        self,
        *,
        address: VaultAddress,
        credential: TokenCredential,
        entropy: Entropy,
        connection_verify: Path | None = None,
        timing: Timing | None = None,
        most_clients: int = 8,
        pause: Callable[[float], None] = time.sleep,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        if connection_verify is not None and not connection_verify.is_file():
            msg = "key vault CA bundle: the file does not exist or cannot be read"
            raise ConfigurationInvalid(msg)
        self.timing = timing or Timing()
        self.entropy = entropy
        self.pause = pause
        self.stopwatch = stopwatch
        self.address = address
        self._credential = credential
        self._verify = True if connection_verify is None else str(connection_verify)
        self._clients: queue.LifoQueue[KeyClient | None] = queue.LifoQueue()
        for _ in range(most_clients):
            self._clients.put(None)

    @contextmanager
    def converse(self) -> Iterator["Conversation"]:
        """Lend a client for one call of the port, under one deadline.

        Raises:
            KeyVaultUnavailable: Every client stayed busy until the deadline.
        """
        deadline = self.stopwatch() + self.timing.total
        client = self._borrow()
        try:
            client = client or self._build_client()
            yield Conversation(self, client, deadline)
        finally:
            self._clients.put(client)

    def close(self) -> None:
        """Close the sockets of the clients that are not lent."""
        for _ in range(self._clients.qsize()):
            client = self._borrow()
            if client is not None:
                client.close()
            self._clients.put(None)

    def _borrow(self) -> KeyClient | None:
        try:
            return self._clients.get(timeout=self.timing.total)
        except queue.Empty:
            busy = KeyVaultUnavailable(
                "every connection to the key vault is busy: try again later"
            )
        raise busy

    def _build_client(self) -> KeyClient:
        return KeyClient(
            self.address.url,
            self._credential,
            connection_verify=self._verify,
            retry_total=0,
            permit_redirects=False,
        )


class Conversation:
    """The requests of one call, over one client, until one deadline."""

    def __init__(
        self, connection: AzureConnection, client: KeyClient, deadline: float
    ) -> None:
        self._connection = connection
        self._client = client
        self._deadline = deadline

    def ask(self, question: Question) -> Mapping[str, object]:
        """Return the vault's answer, repeating what may be repeated.

        Raises:
            KeyVaultUnavailable: It did not answer well before the deadline.
            KeyVaultRefused: It refused, or answered nothing usable.
            KeyUnknown: It has no such key or version.
        """
        for turn in itertools.count():
            outcome = self._attempt(question)
            if not isinstance(outcome, _Failure):
                return outcome
            pause = self._choose_pause(outcome, turn)
            if not outcome.may_repeat or pause >= self._time_left():
                raise outcome.error
            self._connection.pause(pause)
        raise AssertionError  # pragma: no cover - counting does not end

    def pause(self, seconds: float) -> bool:
        """Wait between two questions; return False where the deadline is nearer."""
        if seconds >= self._time_left():
            return False
        self._connection.pause(seconds)
        return True

    def _time_left(self) -> float:
        return self._deadline - self._connection.stopwatch()

    def _choose_pause(self, failure: _Failure, turn: int) -> float:
        """Return seconds: twice as long each turn, spread, or what the vault asks."""
        timing = self._connection.timing
        doubled = timing.first_pause * (1 << min(turn, 16))
        spread = 0.5 + self._connection.entropy.draw(1)[0] / 510
        return max(failure.retry_after, min(timing.longest_pause, doubled) * spread)

    def _attempt(self, question: Question) -> Mapping[str, object] | _Failure:
        """Ask once. Library exceptions end here: their text may quote a token."""
        left = self._time_left()
        if left <= 0:
            return _Failure(error=KeyVaultUnavailable(_OUT_OF_TIME))
        timing = self._connection.timing
        try:
            response = self._client.send_request(
                HttpRequest(question.method, question.path, json=question.body),
                connection_timeout=min(timing.connect, left),
                read_timeout=min(timing.read, left),
            )
            status, answer = response.status_code, _read_json(response)
        except (AzureError, OSError, ValueError) as error:
            return _explain_exception(error, repeatable=question.repeatable)
        if status == _OK:
            return answer if isinstance(answer, Mapping) else _make_refusal(_MALFORMED)
        return _explain_answer(question, response, answer)


_OUT_OF_TIME = "the key vault did not answer in time: try again later"


def _read_json(response: HttpResponse) -> object:
    try:
        return response.json()
    except (AzureError, ValueError):
        return None


def _make_refusal(message: str) -> _Failure:
    return _Failure(error=KeyVaultRefused(message))


def _explain_answer(
    question: Question, response: HttpResponse, answer: object
) -> _Failure:
    status = response.status_code
    error = explain_status(
        status,
        permission=question.permission,
        key_name=question.key_name,
        inner_code=read_inner_code(answer),
    )
    may_repeat = status in UNAVAILABLE_STATUSES and question.repeatable
    return _Failure(
        error=error,
        may_repeat=may_repeat or status == THROTTLED,
        retry_after=_read_retry_after(response),
    )


def _read_retry_after(response: HttpResponse) -> float:
    """Return the whole seconds that the vault asks for; a date is not honoured."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isdecimal() and text.isascii() else 0


def _explain_exception(error: Exception, *, repeatable: bool) -> _Failure:
    if isinstance(error, CredentialUnavailableError):
        msg = "the service's identity cannot be had now: check that its source runs"
        return _Failure(error=KeyVaultUnavailable(msg), may_repeat=repeatable)
    if isinstance(error, ClientAuthenticationError):
        return _explain_no_token(error, repeatable=repeatable)
    if isinstance(error, DecodeError):
        return _make_refusal(_MALFORMED)
    if isinstance(error, AzureError):
        msg = (
            "the key vault, or the identity provider, cannot be reached or broke off: "
            "check its address, the network path and the certificate it shows"
        )
        return _Failure(error=KeyVaultUnavailable(msg), may_repeat=repeatable)
    if isinstance(error, OSError):
        return _make_refusal("the service's identity cannot be read: check its file")
    return _make_refusal(
        "the key vault's sign-in challenge or the service's identity is unusable: "
        "check the vault's address and the configured identity"
    )


def _explain_no_token(error: HttpResponseError, *, repeatable: bool) -> _Failure:
    status = getattr(error.response, "status_code", None)
    if status in UNAVAILABLE_STATUSES:
        msg = "the identity provider fails or throttles: try again later"
        return _Failure(error=KeyVaultUnavailable(msg), may_repeat=repeatable)
    return _make_refusal(
        "the identity provider gives no token for the key vault: "
        "check the configured identity, its tenant and its federation"
    )
