"""Tables that do not fit their policy: refused before the first row, value by value."""

from collections.abc import Callable

import grpc
import pyarrow as pa
import pytest

from pseudo_client import PseudoClientError
from tests.lib.services.service import RunningService
from tests.lib.services.wire import Refusal, make_header, refuse_table
from tests.lib.values.cohort import (
    PURPOSE,
    SCHEMA,
    make_cohort,
    make_numbers,
    write_policy,
)

NUMBER = make_numbers(100, 1)[0]
FAILED = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def refuse_schema(service: RunningService, schema: pa.Schema) -> Refusal:
    return refuse_table(service, make_header(schema))


def replace_type(name: str, kind: pa.DataType) -> pa.Schema:
    position = SCHEMA.get_field_index(name)
    return SCHEMA.set(position, pa.field(name, kind))


SHAPES = {
    "a column is missing": (
        SCHEMA.remove(SCHEMA.get_field_index("born")),
        ("COLUMN_MISSING", FAILED, '"born"'),
    ),
    "a column is unlisted": (
        SCHEMA.append(pa.field("ethnicity", pa.string())),
        ("COLUMN_UNLISTED", FAILED, '"ethnicity"'),
    ),
    "a column stands twice": (
        SCHEMA.append(SCHEMA.field("score")),
        ("COLUMN_DUPLICATED", INVALID, '"score"'),
    ),
    "identifiers as float32": (
        replace_type("nhs_number", pa.float32()),
        ("COLUMN_TYPE_UNSUITABLE", FAILED, '"nhs_number"'),
    ),
    "dates as booleans": (
        replace_type("admitted", pa.bool_()),
        ("COLUMN_TYPE_UNSUITABLE", FAILED, '"admitted"'),
    ),
    "a nested column": (
        replace_type("postcode", pa.list_(pa.string())),
        ("COLUMN_TYPE_UNSUITABLE", FAILED, '"postcode"'),
    ),
    "a dictionary": (
        replace_type("surname", pa.dictionary(pa.int32(), pa.string())),
        ("COLUMN_TYPE_UNSUITABLE", FAILED, '"surname"'),
    ),
    "no column at all": (pa.schema([]), ("COLUMN_MISSING", FAILED, '"nhs_number"')),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_shape_is_named(name: str, shared_service: RunningService) -> None:
    schema, (code, status, mention) = SHAPES[name]
    refusal = refuse_schema(shared_service, schema)
    assert (refusal.code, refusal.status) == (code, status)
    assert mention in refusal.message


HEADERLESS = {
    "numbers": [NUMBER, "2024-05-01"],
    "words": ["SMITH", "LS1 4AP", "F"],
    "a whole row": [NUMBER, "Smith", "LS1 4AP", "1950-01-01", "2024-05-01", "7"],
    "the same name twice": ["SMITH", "SMITH"],
    "a note": [f"seen today {NUMBER}"],
    "control characters": ["a\nb\x00c"],
}


@pytest.mark.parametrize("name", HEADERLESS)
def test_the_first_row_of_a_headerless_file_is_not_repeated(
    name: str, shared_service: RunningService
) -> None:
    values = HEADERLESS[name]
    schema = pa.schema([pa.field(value, pa.string()) for value in values])
    refusal = refuse_schema(shared_service, schema)
    assert refusal.code in {"COLUMN_UNLISTED", "COLUMN_DUPLICATED"}
    words = {word for value in values for word in value.split() if len(word) > 2}
    assert words
    assert not [word for word in words if word in refusal.text]
    assert "number" in refusal.message  # its position


def test_a_schema_s_metadata_goes_nowhere(shared_service: RunningService) -> None:
    table = make_cohort([NUMBER]).replace_schema_metadata({"first row": NUMBER})
    answer = shared_service.deidentify(table)
    assert answer.schema.metadata is None
    assert all(field.metadata is None for field in answer.schema)


MANY_COLUMNS = pa.schema([(f"column_{number}", pa.string()) for number in range(501)])
BAD_SCHEMAS = {
    "nothing": (b"", "BATCH_MALFORMED"),
    "noise": (NUMBER.encode() * 20, "BATCH_MALFORMED"),
    "cut off": (SCHEMA.serialize().to_pybytes()[:40], "BATCH_MALFORMED"),
    "too many columns": (MANY_COLUMNS.serialize().to_pybytes(), "BATCH_TOO_LARGE"),
}


@pytest.mark.parametrize("name", BAD_SCHEMAS)
def test_a_schema_that_is_none_is_refused(
    name: str, shared_service: RunningService
) -> None:
    encoded, code = BAD_SCHEMAS[name]
    refusal = refuse_table(shared_service, make_header(encoded))
    assert refusal.code == code
    assert "schema" in refusal.message
    assert NUMBER not in refusal.text


HEADERS = {
    "a release that nobody registered": (
        {"policy": "cohort@9"},
        ("POLICY_UNKNOWN", grpc.StatusCode.NOT_FOUND, "cohort@9"),
    ),
    "another project's policy": (
        {"policy": "stroke/cohort@1"},
        ("POLICY_INVALID", INVALID, "asthma"),
    ),
    "no address": ({"policy": NUMBER}, ("POLICY_INVALID", INVALID, "asthma")),
    "a misspelt project": (
        {"project": "asthmaa"},
        ("PROJECT_UNKNOWN", grpc.StatusCode.NOT_FOUND, "asthmaa"),
    ),
    "no project id": ({"project": NUMBER}, ("INVALID_ARGUMENT", INVALID, "project")),
    "an operation that is an identifier": (
        {"operation_id": NUMBER},
        ("INVALID_ARGUMENT", INVALID, "operation"),
    ),
    "no operation": ({"operation_id": ""}, ("INVALID_ARGUMENT", INVALID, "operation")),
    "no purpose": ({"purpose": ""}, ("PURPOSE_MISSING", INVALID, "purpose")),
    "a purpose that names a patient": (
        {"purpose": f"look up {NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}"},
        ("PURPOSE_MISSING", INVALID, "purpose"),
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_wrong_header_is_named(name: str, shared_service: RunningService) -> None:
    fields, (code, status, mention) = HEADERS[name]
    token = shared_service.issue("pipeline:asthma", "pipeline:asthmaa")
    refusal = refuse_table(shared_service, make_header(**fields), token=token)
    assert (refusal.code, refusal.status) == (code, status)
    assert mention in refusal.message
    assert NUMBER not in refusal.text.replace(" ", "")


def test_a_misspelt_project_mints_no_key(shared_service: RunningService) -> None:
    keys = sorted(shared_service.state.joinpath("key-vault").rglob("*"))
    token = shared_service.issue("pipeline:asthmaa")
    refusal = refuse_table(shared_service, make_header(project="asthmaa"), token=token)
    assert refusal.code == "PROJECT_UNKNOWN"
    assert sorted(shared_service.state.joinpath("key-vault").rglob("*")) == keys


def test_a_suspended_project_takes_no_data(service: RunningService) -> None:
    service.custodian().suspend_project("asthma", reason="a question of consent")
    refusal = refuse_table(service, make_header())
    assert (refusal.code, refusal.status) == ("PROJECT_NOT_ACTIVE", FAILED)
    assert "asthma" in refusal.message
    with pytest.raises(PseudoClientError) as caught:
        service.pseudonymise(NUMBER)
    assert caught.value.code == "PROJECT_NOT_ACTIVE"
    assert service.pseudonymise(NUMBER, "stroke")
    service.custodian().resume_project("asthma", reason="answered")
    assert service.pseudonymise(NUMBER)


def change_line(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


POLICIES = {
    "an unknown key": (change_line("reason:", "raeson:"), "score"),
    "an unknown treatment": (
        change_line("treatment: drop", "treatment: hide"),
        "surname",
    ),
    "an unknown part": (lambda text: f"{text}\nowner: {NUMBER}\n", "line"),
    "a treatment without its fields": (change_line(", to: year", ""), "born"),
    "a number as a column's name": (
        change_line("  surname:", f'  "{NUMBER}": {{treatment: hide}}\n  surname:'),
        "line",
    ),
    "the same column twice": (
        change_line("  surname:", "  score: {treatment: drop}\n  surname:"),
        "line",
    ),
    "no YAML": (lambda _: f"{{[ {NUMBER}", ""),
    "nothing": (lambda _: "", ""),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_wrong_policy_is_placed(name: str, shared_service: RunningService) -> None:
    change, mention = POLICIES[name]
    custodian = shared_service.custodian()
    with pytest.raises(PseudoClientError) as caught:
        custodian.register_policy(change(write_policy("asthma", number=7)))
    assert caught.value.code == "POLICY_INVALID"
    assert mention in caught.value.message
    assert NUMBER not in caught.value.message


def test_a_registered_policy_never_changes(shared_service: RunningService) -> None:
    custodian = shared_service.custodian()
    first = custodian.register_policy(write_policy("asthma", number=8))
    same = custodian.register_policy(write_policy("asthma", number=8) + "\n# a note\n")
    assert same == first
    with pytest.raises(PseudoClientError) as caught:
        custodian.register_policy(write_policy("asthma", number=8, rename="person"))
    assert caught.value.code == "POLICY_EXISTS"
    assert custodian.get_policy("asthma", "cohort@8") == first


def test_a_client_is_told_the_class_of_its_error(
    shared_service: RunningService,
) -> None:
    table = make_cohort([NUMBER]).append_column("shoe_size", pa.array([43]))
    answer = shared_service.pipeline().deidentify(
        table, project="asthma", policy="cohort@1", purpose=PURPOSE
    )
    with pytest.raises(PseudoClientError, match="shoe_size") as caught:
        answer.read_all()
    assert type(caught.value).__name__ == "ColumnUnlisted"
    assert not caught.value.retryable
