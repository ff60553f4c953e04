"""Azure Key Vault on loopback: its REST shapes, its challenge, and its bad days.

    with KeyVaultEmulator(tmp_path) as emulator:
        vault = emulator.open_vault()
        emulator.faults.throttle(2)

The address is ``https://127.0.0.1:<port>`` and the challenge names the resource
``https://0.0.1:<port>``: the SDK's check that the resource is a parent domain of the
vault's host stays on, and needs no name to be resolved. Shapes: Key Vault REST API
2025-07-01.
"""

import itertools
import json
import re
import socket
import ssl
import threading
import time
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.keyvault.keys._shared import http_challenge_cache

from pseudo_service.adapters.key_vaults.azure import AzureKeyVault
from pseudo_service.adapters.key_vaults.azure_answers import VaultAddress
from pseudo_service.adapters.key_vaults.azure_connection import AzureConnection, Timing
from pseudo_service.ports.clock import Clock
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.services.emulated_keys import (
    EmulatedKeys,
    EmulatedVersion,
    decode,
    encode,
)
from tests.lib.services.emulator_certificates import make_loopback_certificate
from tests.lib.services.emulator_faults import Faults

_PATH = re.compile(r"/keys/([0-9A-Za-z-]+)/([0-9a-z]*)(?:/(unwrapkey|wrapkey|sign))?")
_PAGE = 2
_KEPT = timedelta(days=90)
Reply = tuple[int, object, dict[str, str]]


class IssuedTokens:
    """A credential of azure-identity's shape, and the tokens the vault accepts."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.accepted: set[str] = set()
        self.scopes: list[str] = []
        self.tenants: list[str | None] = []

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        self.tenants.append((options or {}).get("tenant_id"))
        return AccessTokenInfo(self.issue(scopes[0]), int(time.time()) + 3600)

    def issue(self, scope: str) -> str:
        with self._lock:
            token = f"emulated-token-{next(self._numbers)}"
            self.accepted.add(token)
            self.scopes.append(scope)
        return token

    def revoke(self) -> None:
        """Accept none of the tokens issued so far."""
        self.accepted = set()


class KeyVaultEmulator:
    """One vault; start it with ``with``. ``faults`` has the knobs."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.keys = EmulatedKeys()
        self.faults = Faults()
        self.tokens = IssuedTokens()
        self.creations: threading.Barrier | None = None
        self.requests: list[tuple[str, dict[str, object]]] = []
        certificate = make_loopback_certificate(folder)
        self.authority_file = certificate.authority
        self._server = _Server(self, certificate.server)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.challenge = (
            'Bearer authorization="https://login.microsoftonline.com/'
            f'00000000-0000-0000-0000-000000000001", resource="https://0.0.1:{self.port}"'
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Self:
        # The library remembers challenges by port, and this one may have been another's.
        http_challenge_cache.clear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()

    def open_vault(
        self, *, timing: Timing | None = None, most_clients: int = 4, bits: int = 2048
    ) -> AzureKeyVault:
        """Return the adapter over this vault; the caller closes it."""
        connection = AzureConnection(
            address=VaultAddress.parse(self.url),
            credential=self.tokens,
            entropy=SeededEntropy(),
            connection_verify=self.authority_file,
            timing=timing or Timing(first_pause=0.02, total=5),
            most_clients=most_clients,
        )
        return AzureKeyVault(connection=connection, clock=self.clock, key_bits=bits)

    def rotate(self, name: str) -> str:
        """Make a new version, as a rotation policy does; return its key id."""
        old = self.keys.versions[name][-1]
        new = self.keys.create(
            name,
            bits=old.private_key.key_size,
            operations=old.operations,
            created=self.clock.now(),
        )
        return self.write_key_id(name, new)

    def write_key_id(self, name: str, version: EmulatedVersion) -> str:
        return f"{self.url}/keys/{name}/{version.version}"

    def find(self, key_id: str) -> EmulatedVersion:
        """Return the version that a key id names."""
        name, version = key_id.rsplit("/", 2)[1:]
        return next(v for v in self.keys.versions[name] if v.version == version)

    def disable(self, key_id: str) -> None:
        self.find(key_id).enabled = False

    def enable(self, key_id: str) -> None:
        self.find(key_id).enabled = True

    def expire(self, key_id: str, at: datetime | None = None) -> None:
        self.find(key_id).expires = at or self.clock.now()

    def postpone(self, key_id: str, until: datetime) -> None:
        self.find(key_id).not_before = until

    def delete(self, name: str) -> None:
        """Delete softly: the name stays taken."""
        self.keys.delete(name, purged_at=self.clock.now() + _KEPT, settles_after=0)

    def reply(self, method: str, target: str, body: dict[str, object]) -> Reply:
        """Answer an authorised request."""
        path = urlsplit(target).path
        operation, name, version = _read_path(method, path)
        self.faults.count(operation)
        self.requests.append((operation, body))
        time.sleep(self.faults.find_delay(operation))
        failure = self.faults.take_failure(operation)
        if failure:
            return failure[0], _error("Failed", "emulated-library-text"), failure[1]
        prohibition = self.faults.find_prohibition(operation, name)
        if prohibition:
            return 403, _error("Forbidden", prohibition), {}
        status, answer = self._perform(operation, name, version, target, body)
        if status == 200 and isinstance(answer, dict):
            answer = self.faults.change(operation, answer)
        return status, answer, {}

    def _perform(
        self, operation: str, name: str, version: str, target: str, body: dict
    ) -> tuple[int, object]:
        if operation == "create":
            return self._create(name, body)
        deleted = self.keys.find_deleted(name) if operation == "get_deleted" else None
        if deleted is not None:
            return 200, self._describe_deleted(name, deleted)
        found = self.keys.find(name, "" if operation == "list" else version)
        if found is None or operation in {"unknown", "get_deleted"}:
            return 404, _error("KeyNotFound", "")
        match operation:
            case "get":
                answer = found.describe(self.write_key_id(name, found))
            case "list":
                answer = self._list(name, target)
            case "delete":
                answer = self._delete(name, found)
            case _:
                return self._operate(operation, name, found, body)
        return 200, answer

    def _operate(
        self, operation: str, name: str, found: EmulatedVersion, body: dict
    ) -> tuple[int, object]:
        refusal = found.find_refusal(operation, self.clock.now())
        if refusal:
            return 403, _error("Forbidden", refusal)
        value = found.operate(operation, body["alg"], decode(body["value"]))
        if value is None:
            return 400, _error("BadParameter", "")
        return 200, {"kid": self.write_key_id(name, found), "value": encode(value)}

    def _create(self, name: str, body: dict) -> tuple[int, object]:
        if self.creations:
            self.creations.wait(timeout=10)
        if name in self.keys.deleted:
            return 409, _error("Conflict", "ObjectIsDeletedButRecoverable")
        made = self.keys.create(
            name,
            bits=body["key_size"],
            operations=body["key_ops"],
            created=self.clock.now(),
        )
        return 200, made.describe(self.write_key_id(name, made))

    def _delete(self, name: str, found: EmulatedVersion) -> dict[str, object]:
        self.keys.delete(
            name,
            purged_at=self.clock.now() + _KEPT,
            settles_after=self.faults.deletion_takes,
        )
        if not self.faults.keeps_deleted:
            self.keys.purge(name)
            return found.describe(self.write_key_id(name, found))
        return self._describe_deleted(name, found)

    def _describe_deleted(self, name: str, found: EmulatedVersion) -> dict[str, object]:
        stamps = {
            "recoveryId": f"{self.url}/deletedkeys/{name}",
            "deletedDate": int(self.clock.now().timestamp()),
            "scheduledPurgeDate": int(self.keys.purged_at[name].timestamp()),
        }
        return found.describe(self.write_key_id(name, found)) | stamps

    def _list(self, name: str, target: str) -> dict[str, object]:
        skip = int(parse_qs(urlsplit(target).query).get("$skiptoken", ["0"])[0])
        versions = self.keys.versions[name]
        more = f"{self.url}/keys/{name}/versions?api-version=2025-07-01&$skiptoken="
        items = [
            {"kid": self.write_key_id(name, v), "attributes": v.describe_attributes()}
            for v in versions[skip : skip + _PAGE]
        ]
        following = skip + _PAGE < len(versions)
        return {
            "value": items,
            "nextLink": f"{more}{skip + _PAGE}" if following else None,
        }


def _read_path(method: str, path: str) -> tuple[str, str, str]:
    name = path.split("/")[2]
    if path == f"/keys/{name}/create":
        return "create", name, ""
    if path == f"/keys/{name}/versions":
        return "list", name, ""
    if path == f"/deletedkeys/{name}" and method == "GET":
        return "get_deleted", name, ""
    if path == f"/keys/{name}" and method == "DELETE":
        return "delete", name, ""
    found = _PATH.fullmatch(path)
    if found is None or (method == "GET") != (found[3] is None):
        return "unknown", name, ""
    return found[3] or "get", name, found[2]


def _error(code: str, inner: str) -> dict[str, object]:
    inner_error = {"innererror": {"code": inner}} if inner else {}
    return {"error": {"code": code, "message": "emulated-library-text", **inner_error}}


class _Server(ThreadingHTTPServer):
    """Shakes hands in the worker thread, so that one slow caller stops nobody."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, emulator: KeyVaultEmulator, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulator = emulator
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._open: set[socket.socket] = set()

    def server_bind(self) -> None:
        """Bind without asking for this machine's name, which can take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request, client_address) -> None:
        if self.emulator.faults.down:
            return
        request.settimeout(30)
        try:
            secured = self._context.wrap_socket(request, server_side=True)
        except OSError:
            return
        self._open.add(secured)
        try:
            self.RequestHandlerClass(secured, client_address, self)
        except OSError:
            pass
        finally:
            self._open.discard(secured)
            secured.close()

    def close_connections(self) -> None:
        for secured in list(self._open):
            try:
                secured.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer("GET")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, method: str) -> None:
        emulator = self.server.emulator
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if emulator.faults.down:
            self.close_connection = True
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in emulator.tokens.accepted:
            emulator.faults.count("challenge")
            challenge = {"WWW-Authenticate": emulator.challenge}
            self._send(401, _error("Unauthorized", ""), challenge)
            return
        reply = emulator.reply(method, self.path, json.loads(sent or b"{}"))
        operation = _read_path(method, urlsplit(self.path).path)[0]
        if emulator.faults.take_loss(operation):
            self.close_connection = True
            return
        self._send(*reply)

    def _send(self, status: int, answer: object, headers: dict[str, str]) -> None:
        body = answer if isinstance(answer, str | bytes) else json.dumps(answer)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (fields | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
