"""The token endpoint of a managed identity (App Service shape) on loopback.

With its ``environment`` set, azure-identity's real ``ManagedIdentityCredential``
signs in here, in this process or in another.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.lib.services.key_vault_emulator import IssuedTokens

_HEADER = "emulated-identity-header"


class ManagedIdentityEndpoint:
    """Issues what an emulated vault accepts; ``fail`` makes it answer otherwise."""

    def __init__(self, tokens: IssuedTokens) -> None:
        self.tokens = tokens
        self.status = 200
        self.clients: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        port = self._server.server_address[1]
        self.environment = {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{port}/token",
            "IDENTITY_HEADER": _HEADER,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, status: int) -> None:
        self.status = status

    def answer(self, target: str, header: str | None) -> dict[str, object]:
        if self.status != 200 or header != _HEADER:
            return {"error": "invalid_client", "error_description": "emulated-text"}
        query = parse_qs(urlsplit(target).query)
        self.clients += query.get("client_id", [])
        return {
            "access_token": self.tokens.issue(query["resource"][0]),
            "expires_on": str(int(time.time()) + 3600),
            "resource": query["resource"][0],
            "token_type": "Bearer",
        }

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                header = self.headers.get("X-IDENTITY-HEADER")
                body = json.dumps(endpoint.answer(self.path, header)).encode()
                self.send_response(endpoint.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
