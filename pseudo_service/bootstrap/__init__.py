"""The composition root: the only place where rooms meet."""

from pseudo_service.bootstrap.embedded import Embedded, open_embedded
from pseudo_service.bootstrap.processes import serve
from pseudo_service.bootstrap.trust import (
    read_audit_public_key,
    read_audit_verifier,
)

__all__ = [
    "Embedded",
    "open_embedded",
    "read_audit_public_key",
    "read_audit_verifier",
    "serve",
]
