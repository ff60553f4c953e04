"""The repr of no dataclass of the core and the engine holds a patient's values.

A repr ends up where nobody looked for it: in the message of a failed assertion, in a
debugger's log, in the text of a library's exception.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import pseudo_service.core
import pseudo_service.engine
from pseudo_service.core.arrow.arrays import Macs, Mask
from pseudo_service.core.redaction import KnownIdentifiers

COLUMNS = (pa.Array, pa.ChunkedArray, pa.RecordBatch, pa.Scalar, pa.Table)
"""What holds the values of many patients at once."""

VALUE_NAMES = {
    "blind", "canonical", "identifier", "identifiers", "known", "mac", "macs",
    "new", "number", "numbers", "old", "patient", "pseudonym", "pseudonyms", "subject",
    "subjects", "text", "texts", "time", "times", "value", "values",
}  # fmt: skip
"""Names under which a text or bytes are a patient's."""

CODES = "what became of each cell: an index into a fixed list, never a value"
EXCEPTIONS = {
    "Canonicalised.classes": CODES,
    "Generalised.codes": CODES,
    "ParsedDates.readings": CODES,
    "ShiftedDates.codes": CODES,
    "TextCells.codes": CODES,
    "ParsedDates.precision": "how many characters of a date are written",
    "RejectedCells.rows": "the positions of cells, which the caller is told",
    "Actor.subject": "the caller's account, which every event names",
    "Entry.value": "the text of a policy, which holds names of columns",
    "PatientTableRule.known": "names of columns",
    "RedactText.known": "names of columns",
    "Suggestion.patient": "the name of a column",
}


def walk_modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def find_dataclasses() -> list[type]:
    return [
        found
        for package in (pseudo_service.core, pseudo_service.engine)
        for module in walk_modules(package)
        for _, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__ == module.__name__ and dataclasses.is_dataclass(found)
    ]


def list_parts(kind: Any) -> Iterator[Any]:
    """Return a type and all types in it: ``Mapping[str, bytes]`` has two."""
    yield kind
    if typing.get_origin(kind) not in {np.ndarray, Callable}:
        for part in typing.get_args(kind):
            yield from list_parts(part)


def is_column(kind: Any) -> bool:
    """Tell whether a type holds one value a row; yes or no a row is no value."""
    if typing.get_origin(kind) is np.ndarray:
        (dtype,) = typing.get_args(typing.get_args(kind)[1])
        return dtype is not np.bool_
    return inspect.isclass(kind) and issubclass(kind, COLUMNS)


def may_hold_values(name: str, kind: Any) -> bool:
    return any(
        is_column(part) or (name in VALUE_NAMES and part in {str, bytes})
        for part in list_parts(kind)
    )


def find_shown(found: type) -> list[str]:
    """Return the fields of a class that may hold values and are in its repr."""
    kinds = typing.get_type_hints(found)
    return [
        f"{found.__name__}.{field.name}"
        for field in dataclasses.fields(found)
        if field.repr and may_hold_values(field.name, kinds[field.name])
    ]


@pytest.mark.parametrize(
    ("name", "kind", "may_hold"),
    [
        ("anything", pa.StringArray, True),
        ("anything", pa.RecordBatch | None, True),
        ("anything", Macs, True),
        ("anything", list[npt.NDArray[np.uint64]], True),
        ("anything", Mask, False),
        ("anything", pa.Schema, False),
        ("anything", Mapping[str, int], False),
        ("known", KnownIdentifiers, True),
        ("mac", bytes, True),
        ("pseudonyms", tuple[str, ...], True),
        ("project", str, False),
    ],
)
def test_what_may_hold_values_is_told_by_type_or_by_name(
    name: str, kind: Any, may_hold: bool
) -> None:
    assert may_hold_values(name, kind) is may_hold


def test_a_field_that_shows_values_is_found() -> None:
    found = dataclasses.make_dataclass(
        "Found",
        [
            ("shown", pa.Array),
            ("hidden", pa.Array, dataclasses.field(repr=False)),
            ("count", int, dataclasses.field(default=0)),
        ],
    )
    assert find_shown(found) == ["Found.shown"]


def test_no_repr_shows_values() -> None:
    shown = [field for each in find_dataclasses() for field in find_shown(each)]
    assert len(find_dataclasses()) > 100
    assert sorted(set(shown) - set(EXCEPTIONS)) == []
    assert sorted(set(EXCEPTIONS) - set(shown)) == []  # none that needs none
