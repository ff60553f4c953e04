"""The client: one connection to the service, for pipelines, notebooks and Spark."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar, cast

import grpc

from pseudo_client.administration import AdministrationCalls
from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.api.v1.deidentification_pb2_grpc import DeidentificationServiceStub
from pseudo_client.arrow import TableSource
from pseudo_client.calls import Caller
from pseudo_client.channels import Connection, TokenSource
from pseudo_client.errors import ProtocolBroken, SourceUnusable
from pseudo_client.linkage import LinkageCalls
from pseudo_client.patients import PatientTable
from pseudo_client.register import RegisterCalls
from pseudo_client.retries import RetryPolicy
from pseudo_client.statuses import translate
from pseudo_client.streams import TableCall
from pseudo_client.tables import DeidentifiedTable, TableRequest
from pseudo_client.values import (
    CheckedPseudonym,
    Pins,
    Pseudonymised,
    RedactedText,
    RedactedTexts,
    Text,
    count_by_name,
)

T = TypeVar("T")

_IDENTIFIERS_PER_CALL = 1_000
_TEXTS_PER_CALL = 100
_PSEUDONYMS_PER_CALL = 10_000
_WINDOW = 4


class Client(AdministrationCalls, LinkageCalls, RegisterCalls):
    """A caller of the service. There is no way to connect without TLS.

    The channel opens at first use, so a client can be made on a Spark driver and
    sent to executors. It may be used by several threads; a table by one.

    Args:
        address: "host:port".
        token: An access token, or what returns a fresh one at each call.
        root_certificates: The authority that signed the service's certificate, in
            PEM; the system's if absent.
        client_certificate: Proves the caller instead of a token, in PEM.
        client_key: Its private key, in PEM.
        retries: When to try again what may be done twice.
        timeout: Seconds that a call with one answer may take.
        window: How many batches of a table may be in flight.
    """

    def __init__(
        self,
        address: str,
        *,
        token: TokenSource | None = None,
        root_certificates: bytes | None = None,
        client_certificate: bytes | None = None,
        client_key: bytes | None = None,
        retries: RetryPolicy | None = None,
        timeout: float = 30.0,
        window: int = _WINDOW,
    ) -> None:
        connection = Connection(
            address,
            token=token,
            root_certificates=root_certificates,
            client_certificate=client_certificate,
            client_key=client_key,
        )
        self._caller = Caller(
            connection, retries=retries or RetryPolicy(), timeout=timeout
        )
        self._window = max(1, window)

    def __repr__(self) -> str:
        return f"Client({self._caller.connection!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._caller.connection.close()

    @property
    def administration(self) -> AdministrationCalls:
        """This client, typed as its administration calls only."""
        return self

    def deidentify(
        self,
        source: TableSource,
        *,
        project: str,
        policy: str,
        purpose: str,
        operation_id: str | None = None,
        part: int = 0,
        expected_pins: Pins | None = None,
        patients: PatientTable | TableSource | None = None,
    ) -> DeidentifiedTable:
        """Return the table as it comes back, to be iterated once.

        Args:
            source: A table, reader, dataset, data frame or iterable of batches.
            project: Whose pseudonyms and dates it gets.
            policy: "release@n".
            purpose: What the data is for.
            operation_id: Names the run: 8 to 64 letters, digits and dashes.
            part: Which part of the run this table is.
            expected_pins: Have the table refused unless these hold.
            patients: What is known of the patients of the table's texts, with exactly
                the columns of the policy's ``patient_table``. It is read into memory;
                to send it with many tables, read it once with ``PatientTable.read``.

        Raises:
            SourceUnusable: The source, or ``patients``, is no table.
        """
        if patients is not None and not isinstance(patients, PatientTable):
            patients = PatientTable.read(patients)
        request = TableRequest(
            project=project,
            policy=policy,
            purpose=purpose,
            operation_id=operation_id or draw_operation_id(),
            part=part,
            expected_pins=expected_pins,
            patients=patients,
        )
        return DeidentifiedTable(
            request=request,
            source=source,
            start=self._start_table,
            retries=self._caller.retries,
            window=self._window,
        )

    def pseudonymise(
        self, identifiers: Iterable[str], *, kind: str, project: str, purpose: str
    ) -> list[Pseudonymised]:
        """Return a pseudonym, or a refusal, for each identifier in order.

        Args:
            identifiers: As many as you like; they travel 1,000 a call.
            kind: "nhs_number", "chi_number", "hc_number", or "mrn@RXH".
            project: Whose pseudonyms.
            purpose: What they are for.

        Raises:
            ServiceError: The service refused or failed; nothing is returned.
        """
        results: list[Pseudonymised] = []
        for chunk in _cut(identifiers, _IDENTIFIERS_PER_CALL):
            request = pb.PseudonymiseRequest(
                project=project, kind=kind, identifiers=chunk, purpose=purpose
            )
            answer = self._caller.ask(self._tables().Pseudonymise, request)
            _check_count(len(answer.results), len(chunk))
            results.extend(
                Pseudonymised(
                    pseudonym=each.pseudonym or None, refusal=each.refusal or None
                )
                for each in answer.results
            )
        return results

    def check_pseudonyms(
        self, project: str, pseudonyms: Iterable[str]
    ) -> list[CheckedPseudonym]:
        """Return for each text, in order, whether it is a pseudonym of the project.

        Raises:
            ServiceError: The service refused or failed; nothing is returned.
        """
        results: list[CheckedPseudonym] = []
        for chunk in _cut(pseudonyms, _PSEUDONYMS_PER_CALL):
            request = pb.CheckPseudonymsRequest(project=project, pseudonyms=chunk)
            answer = self._caller.ask(self._tables().CheckPseudonyms, request)
            _check_count(len(answer.results), len(chunk))
            results.extend(
                CheckedPseudonym(outcome=each.outcome, key_version=each.key_version)
                for each in answer.results
            )
        return results

    def redact_text(
        self,
        texts: Iterable[Text],
        *,
        project: str,
        policy: str,
        column: str,
        purpose: str,
    ) -> RedactedTexts:
        """Return each text in order, redacted as a policy says, or why it is withheld.

        Args:
            texts: As many as you like; they travel 100 a call.
            project: Whose pseudonyms and dates they get.
            policy: "release@n".
            column: The column of the policy whose treatment they get.
            purpose: What they are for.

        Raises:
            ServiceError: The service refused or failed; nothing is returned.
            SourceUnusable: A text has half a surrogate pair, which is no character.
        """
        results: list[RedactedText] = []
        found: Counter[str] = Counter()
        for chunk in _cut(texts, _TEXTS_PER_CALL):
            request = pb.RedactTextRequest(
                project=project,
                policy=policy,
                column=column,
                purpose=purpose,
                texts=_write_texts(chunk, after=len(results)),
            )
            answer = self._caller.ask(self._tables().RedactText, request)
            _check_count(len(answer.results), len(chunk))
            results.extend(_read_text(each) for each in answer.results)
            found.update(count_by_name(answer.found))
        return RedactedTexts(texts=tuple(results), found=dict(found))

    def _start_table(self, requests: Iterator[pb.DeidentifyTableRequest]) -> TableCall:
        metadata = self._caller.connection.metadata()
        try:
            call = self._tables().DeidentifyTable(requests, metadata=metadata)
        except grpc.RpcError as failure:
            raise translate(failure) from None
        return cast("TableCall", call)  # the stubs forget that it is its own iterator

    def _tables(self) -> DeidentificationServiceStub:
        return DeidentificationServiceStub(self._caller.connection.channel())


def draw_operation_id() -> str:
    """Return a new name for a run."""
    return secrets.token_hex(16)


def _cut(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _write_texts(texts: list[Text], *, after: int) -> list[pb.TextToRedact]:
    written = []
    for position, each in enumerate(texts, start=after):
        if not each.is_encodable():
            msg = (
                f"text {position}: half a surrogate pair stands in it or in what is "
                "known of its patient; read the source again in its own encoding"
            )
            raise SourceUnusable(msg)
        written.append(each.to_message())
    return written


def _read_text(result: pb.RedactTextResponse.Result) -> RedactedText:
    is_answered = result.WhichOneof("outcome") == "text"
    return RedactedText(
        text=result.text if is_answered else None,
        withheld=None if is_answered else result.withheld or "failed",
        patient_refusal=result.patient_refusal or None,
    )


def _check_count(answered: int, asked: int) -> None:
    if answered != asked:
        msg = f"{asked} were asked for and {answered} answered"
        raise ProtocolBroken(msg)
