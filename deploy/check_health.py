"""Asks a service over TLS whether it serves: exits with 0 if so, else with 1.

python check_health.py ADDRESS CA_FILE [SERVER_NAME]

SERVER_NAME is a name in the certificate, where ADDRESS (localhost:8443) is not.
"""

# ruff: noqa: INP001 - a script that travels alone

import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS = 4.0


def is_serving(address: str, authorities: bytes, name: str | None) -> bool:
    """Return whether the service says so; one that cannot be asked does not."""
    credentials = grpc.ssl_channel_credentials(authorities)
    options = [("grpc.ssl_target_name_override", name)] if name else []
    with grpc.secure_channel(address, credentials, options=options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def main(arguments: list[str]) -> int:
    """Ask, and return the exit code."""
    address, authorities, *name = arguments
    pem = Path(authorities).read_bytes()
    return 0 if is_serving(address, pem, name[0] if name else None) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
