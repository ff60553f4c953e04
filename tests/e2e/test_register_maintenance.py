"""The register's maintenance through the whole service, asked by its own client."""

import pytest

from pseudo_client import RegisterProgress, ServiceError
from tests.lib.services.service import RunningService
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import PURPOSE, make_numbers

NUMBERS = make_numbers(80_000, 6)
SIMILAR = {"kind": "nhs_number", "project": "asthma", "purpose": PURPOSE}


def register(service: RunningService, numbers: list[str]) -> list[str | None]:
    pipeline = service.pipeline()
    return [
        pipeline.pseudonymise([number], **SIMILAR)[0].pseudonym for number in numbers
    ]


def test_a_register_of_single_calls_is_compacted_and_still_resolves(
    service: RunningService,
) -> None:
    pseudonyms = register(service, NUMBERS)
    custodian = service.custodian()
    before = custodian.verify_register()
    watched: list[RegisterProgress] = []
    report = custodian.compact_register(reason="maintenance", watch=watched.append)
    after = custodian.verify_register()
    assert (before.segments, before.distinct_identities, before.faults) == (6, 6, ())
    assert (report.segments_before, report.segments_after) == (6, 1)
    assert (report.identities, report.faults) == (6, ())
    assert watched[-1].segments == 6
    assert (after.segments, after.distinct_identities, after.faults) == (1, 6, ())
    assert register(service, NUMBERS) == pseudonyms
    with reopen_register(service.config) as reopened:
        found = reopened.recompute("asthma")
        reopened.check_blind_index()
    assert [found[pseudonym] for pseudonym in pseudonyms] == NUMBERS


def test_an_erased_patient_resolves_no_more_and_may_come_again(
    service: RunningService,
) -> None:
    gone, *stay = register(service, NUMBERS)
    report = service.custodian().erase_identities(
        NUMBERS[:1] + make_numbers(81_000, 1), kind="nhs_number", order="DPO-2026-17"
    )
    assert (report.erased, report.not_registered) == (1, 1)
    with reopen_register(service.config) as reopened:
        found = reopened.recompute("asthma")
    assert gone not in found
    assert [found[pseudonym] for pseudonym in stay] == NUMBERS[1:]
    with pytest.raises(ServiceError) as replaced:
        register(service, NUMBERS[:1])
    assert replaced.value.code == "DATABASE_REPLACED"
    assert register(service, NUMBERS[:1]) == [gone]
    with reopen_register(service.config) as reopened:
        assert reopened.recompute("asthma")[gone] == NUMBERS[0]


def test_who_is_no_custodian_cares_for_nothing(service: RunningService) -> None:
    pipeline = service.pipeline()
    for call in (
        pipeline.verify_register,
        lambda: pipeline.compact_register(reason="maintenance"),
        lambda: pipeline.erase_identities(NUMBERS[:1], kind="nhs_number", order="X-1"),
    ):
        with pytest.raises(ServiceError) as refused:
            call()
        assert refused.value.code == "ACCESS_DENIED"


def test_a_wrong_number_is_told_by_its_place(service: RunningService) -> None:
    with pytest.raises(ServiceError) as refused:
        service.custodian().erase_identities(
            [NUMBERS[0], "9990000000"], kind="nhs_number", order="DPO-2026-17"
        )
    assert "identifiers[1]" in str(refused.value)
    assert "9990000000" not in str(refused.value)
