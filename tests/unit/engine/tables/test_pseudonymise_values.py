"""Single identifiers: one result each, in order, and checks of pseudonyms."""

import pytest

from pseudo_service.core.errors import AccessDenied, IdentifierRefused, InvalidArgument
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.tables.pseudonymise_values import (
    MOST_IDENTIFIERS,
    OPTED_OUT,
    CheckPseudonyms,
    PseudonymOutcome,
)
from tests.lib.harnesses.deidentification import make_opt_outs
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.harnesses.unary_calls import CALLER, PROJECT, UnaryHarness
from tests.lib.stores.memory import MemoryJournal
from tests.lib.stores.stored_values import make_project
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.superseded_numbers import make_superseded

ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))


def list_refusals(harness: UnaryHarness, *values: str, kind: str = "nhs_number"):
    return [one.refusal for one in harness.pseudonymise(values, kind).results]


class TestPseudonymise:
    def test_results_stand_in_the_order_asked_and_repeat(self) -> None:
        answer = UnaryHarness().pseudonymise([BOB, "123", ADA, BOB, ""])
        bob, wrong, ada, again, empty = answer.results
        assert bob == again
        assert bob.pseudonym is not None
        assert bob.pseudonym != ada.pseudonym
        assert (wrong.refusal, empty.refusal) == ("wrong_length", "missing")
        assert wrong.pseudonym is None

    def test_a_pseudonym_is_not_printed_with_its_result(self) -> None:
        (result,) = UnaryHarness().pseudonymise([ADA]).results
        assert str(result.pseudonym) not in repr(result)

    def test_opted_out_superseded_and_reissued_numbers(self) -> None:
        harness = UnaryHarness(
            opt_outs=make_opt_outs([BOB]), superseded=make_superseded({EVE: None})
        )
        assert list_refusals(harness, ADA, BOB, EVE) == [None, OPTED_OUT, "reissued"]
        merged = UnaryHarness(superseded=make_superseded({BOB: ADA}))
        ada, bob = merged.pseudonymise([ADA, BOB]).results
        assert ada == bob

    @pytest.mark.parametrize(
        ("uncheckable", "refusal"),
        [(Uncheckable.REMOVE, OPTED_OUT), (Uncheckable.KEEP, None)],
    )
    def test_local_numbers_cannot_be_checked(self, uncheckable, refusal) -> None:
        check = make_opt_outs([BOB], uncheckable=uncheckable)
        harness = UnaryHarness(opt_outs=check)
        found = list_refusals(harness, "RX1", "two words", "", kind="mrn@RXH")
        assert found == [refusal, "invalid", "missing"]

    def test_too_many_or_a_kind_unknown_is_refused(self) -> None:
        harness = UnaryHarness()
        with pytest.raises(InvalidArgument):
            harness.pseudonymise([ADA] * (MOST_IDENTIFIERS + 1))
        with pytest.raises(IdentifierRefused):
            harness.pseudonymise([ADA], kind="mrn")
        assert harness.journal.commits == []


class _Projects:
    def get(self, project_id: str):
        return make_project(project_id, tag="TEST")


class _Rows:
    def versions(self, owner: str, purpose: RootPurpose):
        assert (owner, purpose) == (PROJECT, RootPurpose.PSEUDONYMS)

        class Row:
            version = 3

        return [Row()]


class TestCheck:
    def test_each_part_is_told_of(self) -> None:
        (good,) = UnaryHarness().pseudonymise([ADA]).results
        text = str(good.pseudonym)
        assert self.check(text) == (PseudonymOutcome.OK, 3)
        assert self.check(text[:-1]) == (PseudonymOutcome.FORM, 0)
        assert self.check(text.lower()) == (PseudonymOutcome.FORM, 0)

    def test_who_only_loads_data_may_check_and_others_may_not(self) -> None:
        with pytest.raises(AccessDenied):
            self.check("anything", project="another-study")

    def check(self, text: str, project: str = PROJECT):
        control = AccessControl(journal=MemoryJournal(), clock=FakeClock())
        checking = CheckPseudonyms(
            access_control=control, projects=_Projects(), rows=_Rows()
        )
        (result,) = checking.check([text], project_id=project, actor=CALLER)
        return result
