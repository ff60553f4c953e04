"""A rotation over the wire: old pseudonyms beside the new, and the map between them."""

import hashlib

import pyarrow as pa
import pytest

from pseudo_client.errors import AccessDenied, InvalidArgument
from pseudo_service.bootstrap import read_audit_verifier
from pseudo_service.core.keys.statements import SignedStatement, verify_statement
from pseudo_service.core.pseudonyms.version_map import KEY_MAP_FORMAT
from tests.lib.services.service import RunningService
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB, CAT = (make_nhs_number(seed) for seed in (1, 2, 3))
POLICY = """
policy: asthma/rotation@1
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, rename: patient, previous: old}
"""


def rotate(service: RunningService, version: int, *, overlap_days: int = 0) -> None:
    service.custodian().rotate_key(
        "asthma",
        current_version=version,
        reason="yearly",
        overlap_days=overlap_days,
    )


def deidentify(service: RunningService, numbers: list[str]) -> dict[str, list]:
    answer = service.pipeline().deidentify(
        pa.table({"nhs": numbers}),
        project="asthma",
        policy="rotation@1",
        purpose="rotation of keys",
    )
    return answer.read_all().to_pydict()


def test_old_pseudonyms_stand_beside_the_new_until_the_window_closes(
    service: RunningService,
) -> None:
    service.custodian().register_policy(POLICY)
    first = deidentify(service, [ADA, BOB])
    assert first["old"] == [None, None]
    rotate(service, 1, overlap_days=14)
    assert service.custodian().get_project("asthma").overlap_until is not None
    both = deidentify(service, [BOB, ADA])
    assert both["old"] == first["patient"][::-1]
    assert not set(both["patient"]) & set(first["patient"])
    service.clock.advance(days=14, minutes=1)
    after = deidentify(service, [BOB, ADA])
    assert after == {"patient": both["patient"], "old": [None, None]}


def test_a_rotation_without_overlap_ends_the_window_before(
    service: RunningService,
) -> None:
    service.custodian().register_policy(POLICY)
    rotate(service, 1, overlap_days=14)
    rotate(service, 2)
    assert service.custodian().get_project("asthma").overlap_until is None
    assert deidentify(service, [ADA])["old"] == [None]
    with pytest.raises(InvalidArgument, match="overlap"):
        rotate(service, 3, overlap_days=367)


def test_the_map_pairs_exactly_whom_the_old_version_released(
    service: RunningService,
) -> None:
    service.custodian().register_policy(POLICY)
    old = deidentify(service, [ADA, BOB])["patient"]
    rotate(service, 1)
    new = deidentify(service, [ADA, BOB, CAT])["patient"]
    officer = service.client("linkage_officer:asthma", subject="officer")
    pairs: dict[str, str] = {}

    def take(olds, news) -> None:
        pairs.update(zip(olds, news, strict=True))

    end = officer.map_key_versions(
        "asthma", old_version=1, new_version=2, purpose="carry over", take=take
    )
    assert pairs == dict(zip(old, new[:2], strict=True))
    assert end.pairs == 2
    assert end.unaccounted_operations == ()
    signed = end.statement
    stated = verify_statement(
        SignedStatement(
            statement=signed.statement,
            signature=signed.signature,
            certificate=signed.certificate,
            certificate_signature=signed.certificate_signature,
            certificate_key_id=signed.certificate_key_id,
        ),
        read_audit_verifier(service.config),
        KEY_MAP_FORMAT,
    )
    lines = "".join(f"{a},{b}\n" for a, b in pairs.items())
    assert stated["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert (stated["old_version"], stated["new_version"]) == (1, 2)


def test_whoever_got_an_old_pseudonym_in_the_window_is_in_the_map(
    service: RunningService,
) -> None:
    service.custodian().register_policy(POLICY)
    rotate(service, 1, overlap_days=14)
    both = deidentify(service, [CAT])
    officer = service.client("linkage_officer:asthma", subject="officer")
    found: list[tuple] = []
    officer.map_key_versions(
        "asthma",
        old_version=1,
        new_version=2,
        purpose="carry over",
        take=lambda olds, news: found.extend(zip(olds, news, strict=True)),
    )
    assert found == [(both["old"][0], both["patient"][0])]


@pytest.mark.parametrize(("old", "new"), [(1, 1), (2, 1), (1, 2), (0, 1)])
def test_versions_that_are_not_there_cannot_be_mapped(
    service: RunningService, old: int, new: int
) -> None:
    officer = service.client("linkage_officer:asthma", subject="officer")
    with pytest.raises(InvalidArgument, match="key versions"):
        officer.map_key_versions(
            "asthma",
            old_version=old,
            new_version=new,
            purpose="carry over",
            take=lambda *_: None,
        )


def test_only_the_projects_linkage_officers_map(service: RunningService) -> None:
    for roles in (("pipeline:asthma",), ("custodian",), ("linkage_officer:stroke",)):
        with pytest.raises(AccessDenied):
            service.client(*roles).map_key_versions(
                "asthma",
                old_version=1,
                new_version=2,
                purpose="carry over",
                take=lambda *_: None,
            )
