"""The connection: always TLS, opened at first use, and anew in a forked process."""

import os
import threading
from collections.abc import Callable
from typing import Any

import grpc

TokenSource = str | Callable[[], str]

_LARGEST_MESSAGE = 512 << 20
_KEEPALIVE_MILLISECONDS = 120_000  # below the 4 minutes of cloud load balancers
_KEEPALIVE_TIMEOUT_MILLISECONDS = 20_000

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.keepalive_time_ms", _KEEPALIVE_MILLISECONDS),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MILLISECONDS),
    ("grpc.enable_retries", 0),  # retries are decided in one place, retries.py
)


class Connection:
    """A TLS channel and the caller's proof, made when first needed.

    It can be pickled before and after use and sent to Spark executors: the channel
    stays behind and each process opens its own.
    """

    def __init__(
        self,
        address: str,
        *,
        token: TokenSource | None,
        root_certificates: bytes | None,
        client_certificate: bytes | None,
        client_key: bytes | None,
    ) -> None:
        if (client_certificate is None) != (client_key is None):
            msg = "client_certificate and client_key go together: give both"
            raise ValueError(msg)
        if token is None and client_certificate is None:
            msg = "give a token, or a client certificate with its key"
            raise ValueError(msg)
        self._address = address
        self._token = token
        self._root_certificates = root_certificates
        self._client_certificate = client_certificate
        self._client_key = client_key
        self._forget_channel()

    def __repr__(self) -> str:
        return f"Connection({self._address!r})"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for name in ("_channel", "_lock", "_process"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_channel()

    def _forget_channel(self) -> None:
        self._channel: grpc.Channel | None = None
        self._lock = threading.Lock()
        self._process = os.getpid()

    def channel(self) -> grpc.Channel:
        """Return this process's channel; a forked child never shares its parent's."""
        if self._process != os.getpid():
            self._forget_channel()
        with self._lock:
            if self._channel is None:
                self._channel = grpc.secure_channel(
                    self._address, self._make_credentials(), options=OPTIONS
                )
            return self._channel

    def _make_credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=self._root_certificates,
            private_key=self._client_key,
            certificate_chain=self._client_certificate,
        )

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return what proves the caller, asking for a fresh token at every call."""
        if self._token is None:
            return ()
        token = self._token if isinstance(self._token, str) else self._token()
        return (("authorization", f"Bearer {token}"),)

    def close(self) -> None:
        """Close the channel; a later call opens another."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
