"""Write the reference page of the wire contract from ``proto/`` and its comments."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf import descriptor_pb2

_FIELD_TYPES = descriptor_pb2.FieldDescriptorProto
_SERVICE, _METHOD = 6, 2  # numbers of descriptor.proto, as source paths use them
_MESSAGE, _FIELD, _NESTED = 4, 2, 3
_ENUM, _VALUE, _NESTED_ENUM = 5, 2, 4


def _read_contract(proto: Path) -> descriptor_pb2.FileDescriptorSet:
    files = sorted(str(each.relative_to(proto)) for each in proto.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "contract.binpb"
        arguments = ["-I", ".", "--include_source_info", f"--descriptor_set_out={out}"]
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", *arguments, *files],
            cwd=proto,
            check=True,
        )
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def _read_comments(
    file: descriptor_pb2.FileDescriptorProto,
) -> Mapping[tuple[int, ...], str]:
    return {
        tuple(each.path): " ".join(
            (each.leading_comments + " " + each.trailing_comments).split()
        ).replace("|", "\\|")
        for each in file.source_code_info.location
    }


def _name_type(field: descriptor_pb2.FieldDescriptorProto) -> str:
    repeated = "repeated " if field.label == _FIELD_TYPES.LABEL_REPEATED else ""
    if field.type_name:
        return repeated + field.type_name.rpartition(".")[2]
    name = _FIELD_TYPES.Type.Name(field.type)
    return repeated + name.removeprefix("TYPE_").lower()


def _write_message(
    message: descriptor_pb2.DescriptorProto,
    path: tuple[int, ...],
    comments: Mapping[tuple[int, ...], str],
) -> Iterator[str]:
    if message.options.map_entry:
        return
    yield f"### {message.name}\n\n{comments.get(path, '')}\n"
    rows = [
        f"| `{field.name}` | {field.number} | `{_name_type(field)}` "
        f"| {comments.get((*path, _FIELD, number), '')} |"
        for number, field in enumerate(message.field)
    ]
    if rows:
        head = ["| field | number | type | meaning |", "|---|---|---|---|"]
        yield "\n".join([*head, *rows, ""])
    for number, nested in enumerate(message.nested_type):
        yield from _write_message(nested, (*path, _NESTED, number), comments)
    for number, enum in enumerate(message.enum_type):
        yield from _write_enum(enum, (*path, _NESTED_ENUM, number), comments)


def _write_enum(
    enum: descriptor_pb2.EnumDescriptorProto,
    path: tuple[int, ...],
    comments: Mapping[tuple[int, ...], str],
) -> Iterator[str]:
    rows = [
        f"| `{value.name}` | {value.number} | {comments.get((*path, _VALUE, number), '')} |"
        for number, value in enumerate(enum.value)
    ]
    head = ["| value | number | meaning |", "|---|---|---|"]
    yield "\n".join(
        [f"### {enum.name}\n\n{comments.get(path, '')}\n", *head, *rows, ""]
    )


def _write_service(
    service: descriptor_pb2.ServiceDescriptorProto,
    path: tuple[int, ...],
    comments: Mapping[tuple[int, ...], str],
) -> str:
    rows = []
    for number, method in enumerate(service.method):
        sent, got = (
            each.rpartition(".")[2] for each in (method.input_type, method.output_type)
        )
        sent = f"stream {sent}" if method.client_streaming else sent
        got = f"stream {got}" if method.server_streaming else got
        comment = comments.get((*path, _METHOD, number), "")
        rows.append(f"| `{method.name}` | `{sent}` | `{got}` | {comment} |")
    head = ["| method | sent | answered | what it does |", "|---|---|---|---|"]
    return "\n".join(
        [f"### {service.name}\n\n{comments.get(path, '')}\n", *head, *rows, ""]
    )


def write_contract(proto: Path) -> str:
    """Return the page of all services, messages and enumerations of ``proto/``."""
    parts = [
        "# The wire contract",
        "",
        "Generated from `proto/`; each meaning is the comment in the source.",
        "",
    ]
    for file in _read_contract(proto).file:
        comments = _read_comments(file)
        parts.append(f"## {Path(file.name).name}\n")
        for number, service in enumerate(file.service):
            parts.append(_write_service(service, (_SERVICE, number), comments))
        for number, message in enumerate(file.message_type):
            parts += _write_message(message, (_MESSAGE, number), comments)
        for number, enum in enumerate(file.enum_type):
            parts += _write_enum(enum, (_ENUM, number), comments)
    return "\n".join(parts)
