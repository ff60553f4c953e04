"""What links and what must not: one patient in a project, and in the next one."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from tests.lib.services.service import RunningService
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import PURPOSE, SCHEMA, make_cohort, make_numbers

NUMBERS = make_numbers(7_000, 30)
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001


def read_csv(numbers: list[str]) -> pa.Array:
    text = "nhs_number\n" + "\n".join(numbers) + "\n"
    options = pyarrow.csv.ConvertOptions(column_types={"nhs_number": pa.string()})
    table = pyarrow.csv.read_csv(io.BytesIO(text.encode()), convert_options=options)
    return table["nhs_number"].combine_chunks()


FORMS = {
    "text of a CSV file": read_csv,
    "large text": lambda n: pa.array(n, pa.large_string()),
    "a view": lambda n: pa.array(n, pa.string_view()),
    "int64": lambda n: pa.array(map(int, n), pa.int64()),
    "uint64": lambda n: pa.array(map(int, n), pa.uint64()),
    "float64 of a spreadsheet": lambda n: pa.array(map(float, n), pa.float64()),
    "text with .0": lambda n: pa.array([f"{x}.0" for x in n]),
    "3-3-4 with spaces": lambda n: pa.array([f"{x[:3]} {x[3:6]} {x[6:]}" for x in n]),
    "3-3-4 with dashes": lambda n: pa.array([f"{x[:3]}-{x[3:6]}-{x[6:]}" for x in n]),
    "no-break spaces": lambda n: pa.array([f"{x[:3]}\xa0{x[3:]}" for x in n]),
    "full width": lambda n: pa.array([x.translate(FULL_WIDTH) for x in n]),
    "blanks around": lambda n: pa.array([f"  {x}\t" for x in n]),
    "a dictionary": lambda n: pa.array(n).dictionary_encode(),
}


@pytest.fixture(scope="module")
def expected(shared_service: RunningService) -> list[str]:
    answer = shared_service.deidentify(make_cohort(NUMBERS))
    found: list[str] = answer["patient"].to_pylist()
    assert len(set(found)) == len(NUMBERS)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_one_patient_one_pseudonym_whatever_the_source(
    form: str, expected: list[str], shared_service: RunningService
) -> None:
    values = FORMS[form](NUMBERS)
    table = make_cohort(NUMBERS).set_column(0, "nhs_number", values)
    assert shared_service.deidentify(table)["patient"].to_pylist() == expected


def test_single_identifiers_are_no_other_way_in(
    expected: list[str], shared_service: RunningService
) -> None:
    found = shared_service.pipeline().pseudonymise(
        [f" {n[:3]} {n[3:6]} {n[6:]}" for n in NUMBERS],
        kind="nhs_number",
        project="asthma",
        purpose=PURPOSE,
    )
    assert [result.pseudonym for result in found] == expected


def test_the_next_project_shares_nothing(
    expected: list[str], shared_service: RunningService
) -> None:
    other = shared_service.deidentify(make_cohort(NUMBERS), "stroke")
    found = other["patient"].to_pylist()
    macs = [parse_pseudonym(text).mac for text in found]
    assert not {parse_pseudonym(text).mac for text in expected} & set(macs)
    assert not {text[:4] for text in expected} & {text[:4] for text in found}
    outcomes = shared_service.client("researcher:stroke").check_pseudonyms(
        "stroke", expected
    )
    assert {result.outcome for result in outcomes} == {"PROJECT_TAG"}
    ours = shared_service.client("researcher:asthma").check_pseudonyms(
        "asthma", expected
    )
    assert {result.outcome for result in ours} == {"OK"}


def test_the_order_of_pseudonyms_tells_nothing(
    expected: list[str], shared_service: RunningService
) -> None:
    """Sorted by pseudonym, the patients of two projects stand in other orders."""
    other = shared_service.deidentify(make_cohort(NUMBERS), "stroke")
    ranks = [
        pc.array_sort_indices(pa.array([text[8:] for text in texts])).to_pylist()
        for texts in (expected, other["patient"].to_pylist())
    ]
    assert ranks[0] != ranks[1]
    assert ranks[0] != list(range(len(NUMBERS)))


def test_dates_move_together_in_a_project_and_apart_between_two(
    shared_service: RunningService,
) -> None:
    table = make_cohort(NUMBERS)
    moved = {}
    for project in ("asthma", "stroke"):
        answer = shared_service.deidentify(table, project)
        days = pc.days_between(answer["admitted"], table["admitted"]).to_pylist()
        assert all(day > 0 and day % 7 == 0 and day <= 52 * 7 for day in days)
        moved[project] = days
    assert moved["asthma"] != moved["stroke"]
    twice = pa.concat_tables([table, table.take(list(reversed(range(30))))])
    answer = shared_service.deidentify(twice)
    days = pc.days_between(answer["admitted"], twice["admitted"]).to_pylist()
    assert days == moved["asthma"] + list(reversed(moved["asthma"]))


def test_two_patients_without_a_number_are_not_one(
    shared_service: RunningService,
) -> None:
    numbers = [None, "", "NA", "unknown", NUMBERS[0], "0000000000", None]
    answer = shared_service.deidentify(make_cohort(numbers))
    found = answer["patient"].to_pylist()
    assert [text is not None for text in found] == [n == NUMBERS[0] for n in numbers]
    moved = answer["admitted"].to_pylist()
    assert [day is not None for day in moved] == [n == NUMBERS[0] for n in numbers]


def test_what_is_answered_is_what_the_policy_says(
    shared_service: RunningService,
) -> None:
    answer = shared_service.deidentify(make_cohort(NUMBERS))
    assert answer.schema.names == ["patient", "postcode", "born", "admitted", "score"]
    assert answer["score"].to_pylist() == list(range(30))
    assert set(answer["postcode"].to_pylist()) == {f"LS{n}" for n in range(1, 21)}
    text = str(answer.to_pydict())
    sent = make_cohort(NUMBERS).to_pydict()
    for name in ("nhs_number", "surname"):
        assert not [value for value in sent[name] if value in text]
    assert SCHEMA.field("score").type == answer.schema.field("score").type


def test_every_answered_pseudonym_can_be_recomputed(
    any_service: RunningService,
) -> None:
    """By whoever has the linkage key: from tables, single calls, and two versions."""
    numbers = make_numbers(7_100, 60)
    answered = any_service.deidentify(make_cohort(numbers[:40]))["patient"].to_pylist()
    answered += [any_service.pseudonymise(number) for number in numbers[40:43]]
    custodian = any_service.custodian()
    custodian.rotate_key("asthma", current_version=1, reason="yearly")
    answered += any_service.deidentify(make_cohort(numbers))["patient"].to_pylist()
    other = any_service.deidentify(make_cohort(numbers), "stroke")[
        "patient"
    ].to_pylist()
    with reopen_register(any_service.config) as register:
        register.check_blind_index()
        assert sorted(register.identities["nhs_number"]) == sorted(numbers)
        ours = register.recompute("asthma")
        assert set(answered) <= set(ours)
        expected = [*numbers[:43], *numbers]
        assert [ours[text] for text in answered] == expected
        assert [register.recompute("stroke")[text] for text in other] == numbers


def test_local_numbers_are_registered_under_their_kind(
    service: RunningService,
) -> None:
    results = service.pipeline().pseudonymise(
        ["RX-0001", "RX-0002", "RX-0001"],
        kind="mrn@RXH",
        project="asthma",
        purpose=PURPOSE,
    )
    found = [result.pseudonym for result in results]
    assert found[0] == found[2] != found[1]
    with reopen_register(service.config) as register:
        register.check_blind_index()
        assert set(found) == set(register.recompute("asthma", "mrn@RXH"))
