"""What one operation de-identifies with, held from its beginning to its end."""

import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    AliasTableRefused,
    KeyVaultUnavailable,
    OptOutListMissing,
    OptOutListStale,
    PolicyInvalid,
    PolicyUnknown,
    ProjectNotActive,
    ProjectUnknown,
)
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.projects.project import OptOutApplication
from pseudo_service.core.pseudonyms.keyed_hash import UnaryKeyedHash
from pseudo_service.core.redaction import TextCode, TextRow, TextStyle
from pseudo_service.engine.tables.project_context import ProjectContext
from tests.lib.harnesses.table_streams import PROJECT, RULES, StreamHarness
from tests.lib.values.nhs_numbers import make_nhs_number

MRN = IdentifierKind.parse("mrn@RXH")
ADA, BOB = make_nhs_number(1), make_nhs_number(2)
APPLIED = OptOutApplication.APPLIED


def pin(harness: StreamHarness, **options: bool) -> ProjectContext:
    project = harness.resolver.find_active(PROJECT)
    return harness.resolver.pin(project, [NHS_NUMBER, MRN], **options)


def mac(within: ProjectContext, kind: str = "nhs_number") -> bytes:
    return within.keys[kind].pseudonym.mac(pa.array([ADA])).tobytes()


def test_an_unknown_or_suspended_project_is_refused() -> None:
    harness = StreamHarness()
    with pytest.raises(ProjectUnknown):
        harness.resolver.find_active("another")
    harness.suspend()
    with pytest.raises(ProjectNotActive):
        harness.resolver.find_active(PROJECT)


def test_a_policy_is_the_projects_own_and_registered() -> None:
    resolver = StreamHarness().resolver
    found = resolver.find_policy(PROJECT, "visits@1")
    assert found.policy.address == "asthma/visits@1"
    assert found.digest == found.policy.digest
    assert resolver.find_policy(PROJECT, "asthma/visits@1") is found
    with pytest.raises(PolicyUnknown):
        resolver.find_policy(PROJECT, "visits@2")
    with pytest.raises(PolicyInvalid):
        resolver.find_policy(PROJECT, "another/visits@1")


def test_each_kind_has_keys_of_its_own() -> None:
    within = pin(StreamHarness())
    assert set(within.keys) == {"nhs_number", "mrn@RXH"}
    assert mac(within) != mac(within, "mrn@RXH")
    keys = within.keys["nhs_number"]
    uses = (keys.pseudonym, keys.date, keys.surrogate, keys.blind)
    assert len({use.mac(pa.array([ADA])).tobytes() for use in uses}) == 4


def test_a_stream_and_a_call_answer_alike_and_only_the_call_forgets() -> None:
    harness = StreamHarness()
    stream, call = pin(harness, is_stream=True), pin(harness)
    assert mac(stream) == mac(call)
    assert isinstance(call.keys["nhs_number"].pseudonym, UnaryKeyedHash)
    assert not isinstance(stream.keys["nhs_number"].pseudonym, UnaryKeyedHash)


def test_the_blind_index_is_the_same_for_a_table_and_its_patients() -> None:
    harness = StreamHarness()
    blind = pin(harness).keys["nhs_number"].blind
    asked = harness.resolver.hash_blindly(NHS_NUMBER)
    numbers = pa.array([ADA, BOB])
    assert asked.mac(numbers).tobytes() == blind.mac(numbers).tobytes()


def test_what_was_pinned_outlasts_a_rotation() -> None:
    harness = StreamHarness()
    before = pin(harness)
    answered = mac(before)
    harness.rotate()
    after = pin(harness)
    assert (before.key_version, after.key_version) == (1, 2)
    assert mac(before) == answered != mac(after)


def test_the_version_before_is_pinned_only_in_its_window() -> None:
    harness = StreamHarness()
    first = pin(harness)
    assert pin(harness, needs_previous=True).roots.previous is None
    harness.rotate(overlap_days=7)
    assert pin(harness).roots.previous is None
    both = pin(harness, needs_previous=True)
    previous = both.keys["nhs_number"].previous
    assert previous is not None
    assert previous.pseudonym.mac(pa.array([ADA])).tobytes() == mac(first)
    harness.clock.advance(days=7)
    assert pin(harness, needs_previous=True).keys["nhs_number"].previous is None


def test_a_project_without_opt_outs_has_no_check() -> None:
    harness = StreamHarness()
    harness.load_opt_outs(ADA)
    within = pin(harness)
    assert (within.opt_outs, within.opt_out_list) == (None, None)


def test_the_check_asks_the_list_that_is_pinned() -> None:
    harness = StreamHarness(opt_outs=APPLIED)
    harness.load_opt_outs(ADA)
    within = pin(harness)
    assert within.opt_outs is not None
    assert within.opt_out_list == harness.listed.facts
    harness.load_opt_outs(BOB)
    both = pa.array([ADA, BOB])
    assert within.opt_outs.find_opted_out(both).tolist() == [True, False]
    later = pin(harness).opt_outs
    assert later is not None
    assert later.find_opted_out(both).tolist() == [False, True]


def test_a_list_that_is_missing_stale_or_changed_is_refused() -> None:
    harness = StreamHarness(opt_outs=APPLIED)
    with pytest.raises(OptOutListMissing):
        pin(harness)
    harness.load_opt_outs(ADA, BOB, days=1)
    kept, harness.listed.indices = harness.listed.indices, harness.listed.indices[:1]
    with pytest.raises(OptOutListMissing, match="not the one that was loaded"):
        pin(harness)
    harness.listed.indices = kept
    pin(harness)
    harness.clock.advance(days=1)
    with pytest.raises(OptOutListStale):
        pin(harness)


@pytest.mark.parametrize("follows", [True, False])
def test_merges_are_followed_as_the_project_says(follows: bool) -> None:
    harness = StreamHarness(follows_merges=follows)
    harness.load_superseded(ADA, BOB)
    within = pin(harness)
    assert within.pinned_superseded.pin
    assert within.superseded.follows_merges is follows
    followed = within.superseded.resolve(pa.array([ADA]), NHS_NUMBER)
    assert followed.to_pylist() == [BOB if follows else ADA]


def test_a_tampered_list_of_superseded_numbers_is_refused() -> None:
    harness = StreamHarness()
    harness.load_superseded(ADA, BOB)
    harness.superseded_store.chunks = [
        bytes(len(each)) for each in harness.superseded_store.chunks
    ]
    with pytest.raises(AliasTableRefused):
        pin(harness)


def test_without_a_root_in_hand_and_without_the_vault_nothing_is_pinned() -> None:
    harness = StreamHarness()
    harness.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        pin(harness)


def test_a_batch_context_holds_what_was_pinned_and_withholds_texts() -> None:
    harness = StreamHarness(opt_outs=APPLIED, follows_merges=True)
    harness.load_opt_outs(ADA)
    harness.load_superseded(ADA, BOB)
    within = pin(harness)
    context = within.make_batch_context(RULES)
    assert context.keys is within.keys
    assert context.opt_outs is within.opt_outs
    assert context.superseded == within.superseded
    assert context.date_shift == within.project.date_shift
    assert (context.sentinels, context.patient_table) == (frozenset(), None)
    (answer,) = context.redact([TextRow(text="Ada")], TextStyle())
    assert (answer.text, answer.code) == (None, TextCode.WITHHELD)


def test_a_context_prints_no_key() -> None:
    within = pin(StreamHarness())
    for root in (within.roots.pseudonyms, within.roots.stable):
        key = root.key.reveal()
        assert key.hex() not in repr(within)
        assert repr(key)[2:-1] not in repr(within)
