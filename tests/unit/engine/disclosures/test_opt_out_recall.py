"""Which pseudonyms a recall names, against a plain account of who was released."""

from dataclasses import replace

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.errors import InvalidArgument, OptOutListMissing
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.projects.project import OptOutApplication
from pseudo_service.engine.disclosures import opt_out_recall
from pseudo_service.engine.disclosures.opt_out_recall import OptOutRecall, RecallReport
from pseudo_service.ports.opt_outs import OptOutListKind
from tests.lib.harnesses.register_maintenance import (
    PROJECT,
    MaintainedRegister,
    cared,
)
from tests.lib.harnesses.register_queries import OFFICER, STUDY, QueriedRegister
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(86_000, 8)
ONE, TWO = KeyVersion(1), KeyVersion(2)


@pytest.fixture
def queried(cared: MaintainedRegister) -> QueriedRegister:
    return QueriedRegister(cared)


def recall(queried: QueriedRegister) -> tuple[list[str], RecallReport]:
    recalling = OptOutRecall(queries=queried.queries, opt_outs=queried.opt_outs)
    *pieces, report = recalling.recall(STUDY, purpose="a test of it", actor=OFFICER)
    assert isinstance(report, RecallReport)
    found = []
    for piece in pieces:
        assert not isinstance(piece, RecallReport)
        found += piece.pseudonyms
    return found, report


def test_opted_out_people_are_named_under_every_version_they_got(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS[:5], "run-1")
    queried.cared.release(NUMBERS[3:7], "run-2", key_version=2)
    listed = queried.load_opt_outs([NUMBERS[1], NUMBERS[4], NUMBERS[6], NUMBERS[7]])
    found, report = recall(queried)
    first = queried.write([NUMBERS[1], NUMBERS[4]], ONE)
    second = queried.write([NUMBERS[4], NUMBERS[6]], TWO)
    assert found == sorted([*first, *second])
    assert report == RecallReport(
        people_released=7,
        people_opted_out=3,
        pseudonyms=4,
        opt_out_list=listed,
        unaccounted=[],
    )
    (body,) = queried.cared.list_events(AuditKind.RECALLED.value)
    assert '"people_opted_out":3' in body
    assert not [number for number in NUMBERS if number in body]


def test_an_allow_list_recalls_everyone_it_does_not_name(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS[:4], "run-1")
    queried.load_opt_outs(NUMBERS[1:], OptOutListKind.ALLOW)
    found, _ = recall(queried)
    assert found == queried.write(NUMBERS[:1], ONE)


def test_people_with_shifted_dates_only_are_not_recalled(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS, "run-1", use=DisclosureUse.DATES)
    queried.load_opt_outs(NUMBERS)
    found, report = recall(queried)
    assert (found, report.people_released) == ([], 0)


def test_a_person_who_stands_twice_in_the_register_is_named_once(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS[:2])
    queried.cared.add(NUMBERS[1:3])
    queried.cared.release(NUMBERS[:3], "run-1")
    queried.load_opt_outs(NUMBERS)
    found, report = recall(queried)
    assert found == sorted(queried.write(NUMBERS[:3], ONE))
    assert report.people_opted_out == 3


def test_released_people_who_are_not_registered_are_told(
    queried: QueriedRegister,
) -> None:
    queried.cared.add(NUMBERS[:2])
    queried.cared.release(NUMBERS[:5], "run-1")
    queried.load_opt_outs(NUMBERS)
    _, report = recall(queried)
    (line,) = report.unaccounted
    assert line.startswith("3 released people are not in the register")


def test_many_pseudonyms_come_in_pieces(
    queried: QueriedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opt_out_recall, "CHUNK", 3)
    queried.cared.add(NUMBERS)
    queried.cared.release(NUMBERS, "run-1")
    queried.load_opt_outs(NUMBERS)
    found, _ = recall(queried)
    assert found == sorted(queried.write(NUMBERS, ONE))


def test_without_a_list_nothing_is_recalled(queried: QueriedRegister) -> None:
    with pytest.raises(OptOutListMissing):
        recall(queried)
    assert queried.cared.list_events(AuditKind.RECALL_INTENT.value) == []


def test_a_project_without_opt_outs_has_nothing_to_recall(
    queried: QueriedRegister,
) -> None:
    project = queried.projects.get(PROJECT)
    rule = replace(project.opt_outs, application=OptOutApplication.NOT_APPLICABLE)
    queried.projects.projects[PROJECT] = replace(project, opt_outs=rule)
    with pytest.raises(InvalidArgument, match="nothing to recall"):
        recall(queried)
