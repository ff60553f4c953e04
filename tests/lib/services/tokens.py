"""A token issuer held in the hand: keys, tokens of any shape, a JWKS server."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pseudo_service.adapters.identity.local_certificates import TlsFiles

TENANT = "5f0c2a7e-3c1b-4a51-9d0e-8b6f5d2c1a90"
ENTRA_ISSUERS = {
    "1.0": f"https://sts.windows.net/{TENANT}/",
    "2.0": f"https://login.microsoftonline.com/{TENANT}/v2.0",
}
OBJECT_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"


class Signer:
    """One signing key of an issuer."""

    def __init__(self, key_id: str, kind: str = "RSA") -> None:
        self.key_id = key_id
        self.kind = kind
        self.key: Any = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if kind == "RSA"
            else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def algorithm(self) -> str:
        return "RS256" if self.kind == "RSA" else "ES256"

    def jwk(self) -> dict[str, Any]:
        algorithm = RSAAlgorithm if self.kind == "RSA" else ECAlgorithm
        found = dict(algorithm.to_jwk(self.key.public_key(), as_dict=True))
        return {**found, "kid": self.key_id, "use": "sig"}

    def sign(self, claims: object, **headers: Any) -> str:
        """Sign whatever the claims are; a header of None is left out."""
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id, **headers}
        header = {name: value for name, value in header.items() if value is not None}
        unsigned = sign_unchecked(header, claims, b"").rstrip(".")
        signature = _ALGORITHMS[self.algorithm].sign(unsigned.encode(), self.key)
        return sign_unchecked(header, claims, signature)


_ALGORITHMS: dict[str, Any] = {
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
}


def sign_unchecked(header: dict[str, Any], claims: object, signature: bytes) -> str:
    """Assemble a token that no library would make."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts
    )


def entra_claims(version: str, now: datetime, **changes: Any) -> dict[str, Any]:
    """Return the claims of an app-only Entra ID token; None removes a claim."""
    second = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": ENTRA_ISSUERS[version],
        "aud": "api://pseudo" if version == "1.0" else "11111111-2222-3333",
        "ver": version,
        "tid": TENANT,
        "oid": OBJECT_ID,
        "sub": OBJECT_ID,
        "appid" if version == "1.0" else "azp": "99999999-8888-7777",
        "roles": ["pipeline:asthma"],
        "iat": second,
        "nbf": second,
        "exp": second + 3600,
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


class JwksServer:
    """Serves a JWKS document over TLS on loopback, or fails as it is told."""

    def __init__(self) -> None:
        self.signers: list[Signer] = []
        self.status = 200
        self.location: str | None = None
        self.body: bytes | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.fetches = 0
        self.url = ""

    def document(self) -> bytes:
        if self.body is not None:
            return self.body
        return json.dumps({"keys": [signer.jwk() for signer in self.signers]}).encode()


@contextmanager
def serve_jwks(tls: TlsFiles, directory: Path) -> Iterator[JwksServer]:
    """Run a server until the block ends."""
    jwks = JwksServer()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            jwks.fetches += 1
            jwks.gate.wait(60)
            body = jwks.document()
            self.send_response(jwks.status)
            if jwks.location:
                self.send_header("Location", jwks.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    pem = directory / "jwks-server.pem"
    pem.write_bytes(tls.certificate + tls.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    jwks.url = f"https://localhost:{server.server_port}/keys"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield jwks
    finally:
        jwks.gate.set()
        server.shutdown()
        server.server_close()
        thread.join(timedelta(seconds=5).total_seconds())
