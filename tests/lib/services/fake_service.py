"""The fake service of the client's tests, with the receipts and statuses of the real one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client_fakes.service import TOKEN, Fault, TableFacts
from client_fakes.service import FakeService as UnsigningService
from pseudo_service.adapters.key_vaults.algorithms import sign_message, write_public_pem
from pseudo_service.api.v1 import common_pb2
from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.keys.statements import build_certificate, sign_statement
from pseudo_service.core.tables.receipt import PinSet, build_receipt
from pseudo_service.transport.status import build_status

__all__ = ["TOKEN", "FakeService", "Fault"]


class FakeService(UnsigningService):
    """Its receipts verify against ``audit_public_key``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._key = Ed25519PrivateKey.generate()
        self._audit = rsa.generate_private_key(65537, 2048)
        self.certified_from = datetime.now(UTC) - timedelta(hours=1)

    @property
    def audit_public_key(self) -> bytes:
        return write_public_pem(self._audit.public_key())

    def make_digest(self, schema: pa.Schema) -> LogicalDigest:
        return LogicalDigest(schema)

    def state(self, facts: TableFacts) -> bytes:
        header = facts.header
        pins = {name: getattr(self.pins, name) for name in PinSet.__slots__}
        return build_receipt(
            project=header.project,
            operation=header.operation_id,
            part=header.part,
            purpose=header.purpose,
            issued_at=datetime.now(UTC),
            pins=PinSet(**pins),
            rows_in=facts.end.rows,
            rows_out=facts.rows_out,
            removed={"NO_PATIENT": facts.removed},
            columns={"born": {"UNPARSEABLE": facts.unparseable}},
            treatments={"born": {"treatment": "generalise", "to": "year"}},
            batches=facts.end.batches,
            input_digest=b"\x03" * 32,
            output=facts.digest,
            actor="fake",
        )

    def sign(self, statement: bytes) -> common_pb2.SignedStatement:
        certificate = build_certificate(
            process="fake",
            instance="fake",
            public_key=self._key.public_key(),
            not_before=self.certified_from,
            not_after=self.certified_from + timedelta(hours=2),
        )
        signed = sign_statement(
            statement,
            key=self._key,
            certificate=certificate,
            certificate_signature=sign_message(self._audit, certificate),
            certificate_key_id="audit/1",
        )
        return common_pb2.SignedStatement(
            statement=signed.statement,
            signature=signed.signature,
            certificate=signed.certificate,
            certificate_signature=signed.certificate_signature,
            certificate_key_id=signed.certificate_key_id,
        )

    def refuse(self, context: grpc.ServicerContext, code: str) -> None:
        status = build_status(ErrorCode(code), f"refused: {code}", "request-1")
        context.abort_with_status(status)
