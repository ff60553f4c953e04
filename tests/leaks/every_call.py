"""Makes every call that there is, rightly and wrongly, with canaries in each field."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pyarrow as pa
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from pseudo_client import KnownIdentifiers, PseudoClientError, Text
from pseudo_service.api.v1 import (
    administration_pb2,
    deidentification_pb2,
    linkage_pb2,
    register_pb2,
)
from tests.leaks.every_linkage_call import (
    WatchedPeople,
    make_linkage_calls,
    refuse_linkage_calls,
)
from tests.lib.services.service import POLICY, RunningService
from tests.lib.services.wire import (
    Refusal,
    TableWire,
    make_end,
    make_header,
    make_message,
    make_messages,
    write_bearer,
)
from tests.lib.values.canaries import (
    BAD_NUMBER,
    BORN_TEXTS,
    MRN,
    NOTE,
    NUMBERS,
    POSTCODE,
    SURNAME,
    Canaries,
    make_canary_table,
)
from tests.lib.values.cohort import PURPOSE

SERVICES = (
    deidentification_pb2.DESCRIPTOR.services_by_name["DeidentificationService"],
    administration_pb2.DESCRIPTOR.services_by_name["AdministrationService"],
    linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"],
    register_pb2.DESCRIPTOR.services_by_name["RegisterService"],
)
ROLES = ("custodian", "auditor", "pipeline:asthma")
LINKAGE_ROLES = ("linkage_officer:asthma", "guardian:asthma", "researcher:stroke")
WORDS_ONLY = frozenset({"CompactRegister"})
"""Whose one field is a reason: words, which may name somebody; numbers are refused."""
TEXT_POLICY = """
policy: asthma/letters@1
patient: {column: nhs_number, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number}
  mrn: {treatment: pseudonymise, kind: mrn@RXH}
  born: {treatment: shift_date, formats: ["%Y-%m-%d"]}
  note: {treatment: redact_text}
  age: {treatment: generalise, to: age_band, as_of: 2024-01-01}
  code: {treatment: exclude_rows, codes: [Z31*], list: restricted, then: drop}
"""
TEXTS = [
    Text(text=NOTE),
    Text(text=f"{NUMBERS[0]}: {NOTE}", patient=NUMBERS[0], patient_kind="nhs_number"),
    Text(text=NOTE, patient=MRN, patient_kind="mrn@RXH"),
    Text(
        text=f"{SURNAME}, {BORN_TEXTS[0]}, {MRN}",
        patient=BAD_NUMBER,
        patient_kind="nhs_number",
        known=KnownIdentifiers(
            names=(SURNAME,),
            dates=BORN_TEXTS[:1],
            numbers=(MRN,),
            postcodes=(POSTCODE,),
        ),
    ),
]
ASKED = {"project": "asthma", "policy": "letters@1", "purpose": PURPOSE}
MIXED = pa.table(
    {
        "nhs_number": [*NUMBERS[:3], BAD_NUMBER, SURNAME, None],
        "mrn": [MRN, None, SURNAME, NOTE, POSTCODE, NUMBERS[0]],
        "born": [*BORN_TEXTS, NUMBERS[0], SURNAME, None],
        "note": [NOTE, NUMBERS[1], SURNAME, "x" * 5000 + NOTE, None, BORN_TEXTS[0]],
        "age": [*BORN_TEXTS, NUMBERS[2], NOTE, None],
        "code": ["Z31.1", "E11.9", SURNAME, NUMBERS[0], None, "F32"],
    }
)


def make_every_call(service: RunningService, canaries: Canaries) -> list[str]:
    """Make the calls; return all that came back with failures, and receipts."""
    token = canaries.add_token(service.issue(*ROLES))
    people = WatchedPeople(service=service, canaries=canaries)
    came_back = [*make_linkage_calls(people), _succeed(service, token)]
    refused = (_refused_tables, _refused_clients, _refused_texts)
    for refuse in (call for calls in refused for call in calls(service, token)):
        came_back += _catch(refuse)
    for refuse in refuse_linkage_calls(people):
        came_back += _catch(refuse)
    desk = canaries.add_token(service.issue(*LINKAGE_ROLES, subject="desk"))
    for bearer in (token, desk, "", canaries.add_token(_forge(token)), NUMBERS[0]):
        came_back += _fill_every_method(service, bearer)
    return came_back


def _forge(token: str) -> str:
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{signature[::-1]}"


def _succeed(service: RunningService, token: str) -> str:
    """Make the calls that are answered; return receipts and audit events."""
    client = service.connect(token=token)
    client.register_policy(TEXT_POLICY)
    receipts = []
    for policy, table in ((POLICY, make_canary_table()), ("letters@1", MIXED)):
        answer = client.deidentify(
            table, project="asthma", policy=policy, purpose=PURPOSE
        )
        answer.read_all()
        receipts.append(f"{answer.receipt!r} {answer.rejected!r} {answer.pins!r}")
    asked = [*NUMBERS, BAD_NUMBER, SURNAME, NOTE, ""]
    client.pseudonymise(asked, kind="nhs_number", project="asthma", purpose=PURPOSE)
    client.pseudonymise([MRN], kind="mrn@RXH", project="asthma", purpose=PURPOSE)
    client.check_pseudonyms("asthma", [*NUMBERS, NOTE])
    redacted = client.redact_text(TEXTS, column="note", **ASKED)
    receipts.append(repr(redacted))
    client.load_opt_outs(
        kind="opt_out",
        expires_at=service.clock.now() + timedelta(days=3),
        entries=len(NUMBERS),
        chunks=[NUMBERS],
    )
    aliases = [(NUMBERS[0], NUMBERS[1]), (NUMBERS[-1], "")]
    client.load_aliases(entries=len(aliases), chunks=[aliases])
    checkpoint = client.checkpoint_audit()
    trail = [repr(each) for each in client.export_audit()]
    return " ".join([*receipts, *trail, repr(checkpoint)])


def _refused_tables(
    service: RunningService, token: str
) -> Iterator[Callable[[], object]]:
    (batch,) = make_canary_table().to_batches()
    encoded = batch.serialize().to_pybytes()
    headerless = pa.schema([(t, pa.string()) for t in (NUMBERS[0], SURNAME, POSTCODE)])
    wrong_type = batch.schema.set(0, pa.field("nhs_number", pa.float32()))
    header = make_header()
    streams = [
        [make_header(headerless)],
        [make_header(wrong_type)],
        [make_header(NOTE.encode())],
        *([make_header(**{name: NUMBERS[0]})] for name in ("project", "policy")),
        *([make_header(**{name: NOTE})] for name in ("project", "policy")),
        [make_header(purpose=f"look up {NUMBERS[0]}")],
        [make_header(operation_id=NUMBERS[0])],
        [header, make_message(0, encoded[: len(encoded) // 2], rows=6)],
        [header, make_message(0, encoded[:-80] + bytes(80), rows=6)],
        [header, make_message(0, NOTE.encode() * 99, rows=6)],
        [header, make_message(3, batch)],
        [header, make_message(0, batch, rows=5)],
        [header, make_message(0, batch.select(["surname", "nhs_number"]))],
        [header, *make_messages([batch]), make_end(1, int(NUMBERS[0]))],
        [header, *make_messages([batch])],
        [header, header],
    ]
    for requests in streams:
        yield (
            lambda sent=requests: (
                TableWire(service, token=token).send(*sent).close().drain()
            )
        )


def _refused_clients(
    service: RunningService, token: str
) -> Iterator[Callable[[], object]]:
    client = service.connect(token=token)
    usual = {"kind": "nhs_number", "project": "asthma", "purpose": PURPOSE}
    for field in usual:
        # A purpose is words, and words may name somebody: only numbers are refused.
        for text in (NUMBERS[0], f"ask {NUMBERS[0]}", NOTE, SURNAME):
            if field == "purpose" and text in {NOTE, SURNAME}:
                continue
            yield lambda changed={**usual, field: text}: client.pseudonymise(
                NUMBERS, **changed
            )
    for text in (NUMBERS[0], NOTE, f"{{[{NOTE}", TEXT_POLICY.replace("born", NOTE)):
        yield lambda text=text: client.register_policy(text)
        yield lambda text=text: client.get_policy(text, text)
        reason = f"{text}\n{text}"  # one line names nobody to a machine
        yield lambda reason=reason: client.suspend_project("asthma", reason=reason)
        yield lambda text=text: client.check_pseudonyms(text, [text])
    bad = [*NUMBERS, BAD_NUMBER, SURNAME]
    yield lambda: client.load_opt_outs(
        kind="opt_out",
        expires_at=service.clock.now() + timedelta(days=3),
        entries=len(bad),
        chunks=[bad],
    )
    pairs = [(number, BAD_NUMBER) for number in NUMBERS]
    yield lambda: client.load_aliases(entries=len(pairs), chunks=[pairs])


def _refused_texts(
    service: RunningService, token: str
) -> Iterator[Callable[[], object]]:
    client = service.connect(token=token)
    usual = {"column": "note", **ASKED}
    for field in usual:
        for text in (NUMBERS[0], f"ask {NUMBERS[0]}", f"born\n{NOTE}"):
            yield lambda changed={**usual, field: text}: client.redact_text(
                TEXTS[:1], **changed
            )
    for kind in (NOTE, NUMBERS[0]):
        odd = Text(text=NOTE, patient=NUMBERS[0], patient_kind=kind)
        yield lambda odd=odd: client.redact_text([odd], **usual)


def _fill_every_method(service: RunningService, bearer: str) -> list[str]:
    """Call each method with a canary in each text field, with a token and without."""
    channel = service.channel()
    metadata = write_bearer(bearer) if bearer else ()
    came_back = []
    for path, kind in _list_methods():
        for text in (NUMBERS[0],) if _is_words(path) else (NUMBERS[0], NOTE):
            call = channel.stream_stream(path)
            filled = [each.SerializeToString() for each in _fill(kind, text)]
            for requests in (filled, [text.encode()], filled[:1] * 2, []):
                came_back += _catch(
                    lambda call=call, sent=requests: list(
                        call(iter(sent), metadata=metadata, timeout=20)
                    )
                )
    return came_back


def _is_words(path: str) -> bool:
    return path.rsplit("/", 1)[1] in WORDS_ONLY


def _list_methods() -> Iterator[tuple[str, type[Message]]]:
    for service in SERVICES:
        for method in service.methods:
            kind = GetMessageClass(method.input_type)
            yield f"/{service.full_name}/{method.name}", kind


def _fill(kind: type[Message], text: str) -> list[Message]:
    """Return messages with the text in every field: one, or one a choice."""
    choices = kind.DESCRIPTOR.oneofs
    if not choices:
        message = kind()
        _fill_fields(message, text)
        return [message]
    filled = []
    for chosen in choices[0].fields:
        message = kind()
        getattr(message, chosen.name).SetInParent()
        _fill_fields(getattr(message, chosen.name), text)
        filled.append(message)
    return filled


def _fill_fields(message: Any, text: str) -> None:
    for field in message.DESCRIPTOR.fields:
        value: Any = {
            FieldDescriptor.TYPE_STRING: text,
            FieldDescriptor.TYPE_BYTES: text.encode(),
        }.get(field.type)
        if field.message_type is not None:
            if not field.is_repeated:
                _fill_fields(getattr(message, field.name), text)
        elif value is not None and field.is_repeated:
            getattr(message, field.name).extend([value])
        elif value is not None:
            setattr(message, field.name, value)


def _catch(call: Callable[[], object]) -> list[str]:
    """Return what a failed call says: message, details, metadata, its repr."""
    try:
        answer = call()
    except grpc.RpcError as error:
        first = ""
        with contextlib.suppress(grpc.RpcError, AttributeError):
            first = repr(error.initial_metadata())
        return [f"{Refusal.read(error)!r} {first}"]
    except PseudoClientError as error:
        return [f"{error!r} {error.message} {error.code} {error.__context__!r}"]
    return [repr(answer)]
