"""The end of a project: two custodians, a cooling time, and nothing left to reverse."""

import json
from datetime import timedelta

import pytest

from pseudo_service.core.errors import (
    AccessDenied,
    ClosingRefused,
    InvalidArgument,
    KeyRowRefused,
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    ProjectNotActive,
    SignatureRefused,
    StateConflict,
)
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.keys.statements import verify_statement
from pseudo_service.core.projects.closing import CLOSURE_FORMAT, PURGE_TIME_UNKNOWN
from pseudo_service.core.projects.project import ProjectState
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.closing import FIRST, GUARDIAN, SECOND, THIRD
from tests.lib.harnesses.closing import ClosingHarness as Bench
from tests.lib.harnesses.fakes import SeededEntropy

NUMBER = "9990000018"
NHS = IdentifierKind.parse("nhs_number")


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.make("asthma")
    made.make("stroke")
    return made


def test_closing_stops_data_calls_at_once_and_says_what_to_do(bench: Bench) -> None:
    bench.close()
    project = bench.projects.get("asthma")
    assert project.state is ProjectState.CLOSING
    with pytest.raises(ProjectNotActive, match="cancel-close"):
        project.check_active()
    assert bench.trail.kinds()[-1] == "project_closing"


def test_the_keys_stay_while_a_project_cools(bench: Bench) -> None:
    before = bench.ring.newest("asthma", RootPurpose.PSEUDONYMS).check_value()
    bench.close()
    now = bench.ring.newest("asthma", RootPurpose.PSEUDONYMS).check_value()
    assert now == before


@pytest.mark.parametrize("days", [0, 6, 366])
def test_a_cooling_time_out_of_bounds_is_refused(bench: Bench, days: int) -> None:
    with pytest.raises(InvalidArgument, match="7 to 365"):
        bench.close(days)
    assert bench.projects.get("asthma").state is ProjectState.ACTIVE


def test_the_custodian_who_asked_cannot_agree(bench: Bench) -> None:
    bench.close()
    with pytest.raises(ClosingRefused, match="another custodian"):
        bench.closing.agree("asthma", actor=FIRST)
    bench.closing.agree("asthma", actor=SECOND)
    with pytest.raises(ClosingRefused, match="already"):
        bench.closing.agree("asthma", actor=THIRD)


def test_nothing_is_destroyed_without_a_second_custodian(bench: Bench) -> None:
    bench.close(7)
    bench.clock.advance(days=365)
    with pytest.raises(ClosingRefused, match="agree-close"):
        bench.closing.destroy("asthma", actor=THIRD)
    assert bench.rows.versions("asthma", RootPurpose.STABLE)
    assert "project_destroy_intent" not in bench.trail.kinds()


def test_nothing_is_destroyed_before_its_time(bench: Bench) -> None:
    bench.let_it_cool()
    bench.clock.advance(seconds=-1)
    with pytest.raises(ClosingRefused, match="cooling time"):
        bench.closing.destroy("asthma", actor=FIRST)
    assert "project-asthma" not in bench.vault.deleted


def test_a_project_that_is_active_is_not_destroyed(bench: Bench) -> None:
    with pytest.raises(StateConflict, match="not closing"):
        bench.closing.destroy("asthma", actor=FIRST)


@pytest.mark.parametrize("verb", ["close", "agree", "cancel", "destroy"])
def test_only_custodians_end_a_project(bench: Bench, verb: str) -> None:
    more = {
        "close": {"reason": "over", "cooling_days": 7},
        "cancel": {"reason": "not over"},
    }
    with pytest.raises(AccessDenied):
        getattr(bench.closing, verb)("asthma", actor=GUARDIAN, **more.get(verb, {}))


def test_a_closing_that_was_called_off_begins_anew(bench: Bench) -> None:
    bench.let_it_cool()
    bench.closing.cancel("asthma", reason="extended", actor=THIRD)
    assert bench.projects.get("asthma").closing is None
    with pytest.raises(StateConflict):
        bench.closing.destroy("asthma", actor=FIRST)
    bench.lifecycle.resume("asthma", reason="extended", actor=FIRST)
    bench.close()
    with pytest.raises(ClosingRefused, match="agree-close"):
        bench.closing.destroy("asthma", actor=FIRST)


def test_a_closing_project_is_neither_suspended_nor_resumed(bench: Bench) -> None:
    bench.close()
    for verb in (bench.lifecycle.suspend, bench.lifecycle.resume):
        with pytest.raises(StateConflict, match="cancel-close"):
            verb("asthma", reason="by the back door", actor=FIRST)
    assert bench.projects.get("asthma").closing is not None


def test_a_closing_whose_key_is_deleted_cannot_be_called_off(bench: Bench) -> None:
    bench.let_it_cool()
    bench.vault.delete_key("project-asthma")
    with pytest.raises(StateConflict, match="recover the key"):
        bench.closing.cancel("asthma", reason="too late", actor=FIRST)


def test_after_destruction_nothing_left_gives_a_pseudonym(bench: Bench) -> None:
    bench.rotation.rotate(
        "asthma", current_version=1, reason="yearly", actor=FIRST, overlap_days=9
    )
    root = bench.ring.newest("asthma", RootPurpose.PSEUDONYMS)
    wanted = _mac(root.key)
    stolen = dict(bench.rows.rows)  # a backup of the database from before
    others = [bench.ring.newest("stroke", purpose) for purpose in _PURPOSES]
    bench.let_it_cool()
    bench.closing.destroy("asthma", actor=THIRD)

    assert not [place for place in bench.rows.rows if place[0] == "asthma"]
    for purpose in _PURPOSES:
        with pytest.raises(KeyUnknown):
            bench.ring.newest("asthma", purpose)
        with pytest.raises(KeyUnknown):
            bench.ring.get("asthma", purpose, 1)
    for row in (row for place, row in stolen.items() if place[0] == "asthma"):
        with pytest.raises((KeyUnknown, KeyVaultRefused)):
            bench.vault.unwrap(
                Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
            )
        for name in ("audit", "project-stroke"):
            key_id = bench.vault.current_key(name).key_id
            with pytest.raises(KeyVaultRefused):
                bench.vault.unwrap(Wrapped(key_id=key_id, ciphertext=row.wrapped))
    for other in others:
        for version in (1, 2):
            pretended = Root(
                owner="asthma",
                version=version,
                purpose=RootPurpose.PSEUDONYMS,
                key=other.key,
            )
            assert _mac(pretended.key) != wanted


_PURPOSES = (RootPurpose.PSEUDONYMS, RootPurpose.STABLE)


def _mac(key: SecretKey) -> bytes:
    root = Root(owner="asthma", version=2, purpose=RootPurpose.PSEUDONYMS, key=key)
    return KeyedHash(root.derive(KeyUse.PSEUDONYM, NHS.text), NHS).mac_one(NUMBER)


def test_another_project_and_its_keys_are_untouched(bench: Bench) -> None:
    before = bench.ring.newest("stroke", RootPurpose.PSEUDONYMS).check_value()
    bench.let_it_cool()
    bench.closing.destroy("asthma", actor=FIRST)
    assert bench.ring.newest("stroke", RootPurpose.PSEUDONYMS).check_value() == before


def test_no_root_of_a_destroyed_project_is_held(bench: Bench) -> None:
    bench.ring.newest("asthma", RootPurpose.PSEUDONYMS)
    elsewhere = KeyRing(
        vault=bench.vault,
        rows=bench.rows,
        clock=bench.clock,
        entropy=SeededEntropy("elsewhere"),
        lifetime=timedelta(days=400),
    )
    elsewhere.newest("asthma", RootPurpose.PSEUDONYMS)
    bench.let_it_cool()
    bench.closing.destroy("asthma", actor=FIRST)
    assert not [place for place in bench.ring._held if place[0] == "asthma"]
    with pytest.raises(KeyUnknown):
        elsewhere.newest("asthma", RootPurpose.PSEUDONYMS)
    assert not elsewhere._held


def test_the_certificate_states_who_what_and_what_survives(bench: Bench) -> None:
    keys = {row.check_value.hex() for row in _rows_of(bench, "asthma")}
    bench.let_it_cool()
    done = bench.closing.destroy("asthma", actor=THIRD)
    stated = verify_statement(done.certificate, bench.verify, CLOSURE_FORMAT)
    assert (stated["project"], stated["tag"]) == ("asthma", done.project.tag)
    people = [stated[f"{part}_by"] for part in ("requested", "agreed", "destroyed")]
    assert people == ["local:first", "local:second", "local:third"]
    assert {key["check_value"] for key in stated["keys"]} == keys
    assert stated["vault_key"] == "project-asthma"
    assert stated["vault_key_purged_at"] == "2027-01-01T00:00:00+00:00"
    assert any("backups of the database" in each for each in stated["survives"])
    assert bench.trail.kinds()[-2:] == ["project_destroy_intent", "project_destroyed"]


def _rows_of(bench: Bench, project: str) -> list:
    return [row for place, row in bench.rows.rows.items() if place[0] == project]


def test_a_certificate_passes_for_no_receipt_and_no_other(bench: Bench) -> None:
    bench.let_it_cool()
    signed = bench.closing.destroy("asthma", actor=FIRST).certificate
    with pytest.raises(SignatureRefused, match="pseudo/receipt/v1"):
        verify_statement(signed, bench.verify, RECEIPT_FORMAT)
    changed = json.loads(signed.statement) | {"project": "stroke"}
    forged = type(signed)(
        statement=json.dumps(changed).encode(),
        signature=signed.signature,
        certificate=signed.certificate,
        certificate_signature=signed.certificate_signature,
        certificate_key_id=signed.certificate_key_id,
    )
    with pytest.raises(SignatureRefused):
        verify_statement(forged, bench.verify, CLOSURE_FORMAT)


def test_destroying_again_answers_the_same_certificate(bench: Bench) -> None:
    bench.let_it_cool()
    first = bench.closing.destroy("asthma", actor=FIRST)
    asked = len(bench.vault.asked)
    again = bench.closing.destroy("asthma", actor=SECOND)
    assert again == first
    assert len(bench.vault.asked) == asked


def test_a_vault_that_does_not_answer_leaves_everything_and_the_intent(
    bench: Bench,
) -> None:
    bench.let_it_cool()
    bench.closing._signer.certify()
    bench.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        bench.closing.destroy("asthma", actor=FIRST)
    assert bench.projects.get("asthma").state is ProjectState.CLOSING
    assert _rows_of(bench, "asthma")
    bench.vault.down = False
    bench.closing.destroy("asthma", actor=SECOND)
    assert bench.trail.kinds().count("project_destroy_intent") == 2
    assert bench.trail.kinds().count("project_destroyed") == 1


def test_a_crash_after_the_vault_key_is_completed_by_destroying_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.let_it_cool()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(bench.projects, "destroy", crash)
        with pytest.raises(KeyboardInterrupt):
            bench.closing.destroy("asthma", actor=FIRST)
    assert "project-asthma" in bench.vault.deleted
    done = bench.closing.destroy("asthma", actor=SECOND)
    stated = json.loads(done.certificate.statement)
    assert stated["vault_key_purged_at"] == "2027-01-01T00:00:00+00:00"
    assert not _rows_of(bench, "asthma")


def test_a_vault_key_that_was_purged_meanwhile_is_no_obstacle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.let_it_cool()

    def refuse(name: str) -> None:
        raise KeyUnknown(name)

    monkeypatch.setattr(bench.vault, "delete_key", refuse)
    done = bench.closing.destroy("asthma", actor=FIRST)
    assert (
        json.loads(done.certificate.statement)["vault_key_purged_at"]
        == PURGE_TIME_UNKNOWN
    )


def test_rows_that_another_key_wraps_are_not_certified_away(bench: Bench) -> None:
    bench.let_it_cool()
    place = ("asthma", RootPurpose.STABLE, 1)
    bench.rows.rows[place] = bench.rows.rows["stroke", RootPurpose.STABLE, 1]
    with pytest.raises(KeyRowRefused, match="nothing was destroyed"):
        bench.closing.destroy("asthma", actor=FIRST)
    assert "project-asthma" not in bench.vault.deleted


def test_a_destroyed_project_comes_back_in_no_way(bench: Bench) -> None:
    bench.let_it_cool()
    bench.closing.destroy("asthma", actor=FIRST)
    with pytest.raises(StateConflict):
        bench.lifecycle.resume("asthma", reason="regret", actor=FIRST)
    with pytest.raises(StateConflict):
        bench.close()
    with pytest.raises(StateConflict):
        bench.closing.cancel("asthma", reason="regret", actor=FIRST)
    with pytest.raises(ProjectNotActive, match="for ever"):
        bench.projects.get("asthma").check_active()
