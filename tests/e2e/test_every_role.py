"""Every call by every role, over TLS: who is let in, and who is refused on record.

Two ways to refuse: ``ACCESS_DENIED``; and ``REQUEST_UNKNOWN`` to whoever may not even
know that a linkage request exists. Both are on record.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from pseudo_client import Client, DateShift, Linkage, OptOuts, PseudoClientError, Text
from pseudo_service.transport.server import METHODS
from tests.lib.services.service import POLICY, RunningService
from tests.lib.values.cohort import PURPOSE, make_cohort, make_numbers, write_policy
from tests.lib.values.linkage_people import People, vote
from tests.lib.values.notes import write_notes_policy
from tests.lib.values.trail import read_events

NUMBERS = make_numbers(4_000, 10)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A caller, and what there is to ask for."""

    client: Client
    people: People
    pseudonym: str
    asked: Linkage


Call = Callable[[Scene], object]


def ask(scene: Scene, **changes: object) -> Linkage:
    stated = {"pseudonyms": [scene.pseudonym], "redeemer": "local:mara", **changes}
    return scene.people.submit(client=scene.client, **stated)


def create(scene: Scene) -> object:
    return scene.client.create_project(
        "unwanted",
        title="Unwanted",
        date_shift=DateShift(),
        opt_outs=OptOuts(application="not_applicable", legal_basis="consent"),
        daily_quota=1,
    )


DATA: dict[str, Call] = {
    "DeidentifyTable": lambda s: s.client.deidentify(
        make_cohort(NUMBERS), project="asthma", policy=POLICY, purpose=PURPOSE
    ).read_all(),
    "Pseudonymise": lambda s: s.client.pseudonymise(
        NUMBERS, kind="nhs_number", project="asthma", purpose=PURPOSE
    ),
    "RedactText": lambda s: s.client.redact_text(
        [Text(text="x")],
        project="asthma",
        policy="notes@1",
        column="note",
        purpose=PURPOSE,
    ),
}
MANAGE: dict[str, Call] = {
    "CreateProject": create,
    "RegisterPolicy": lambda s: s.client.register_policy(
        write_policy("asthma", number=5)
    ),
    "RotateKey": lambda s: s.client.rotate_key(
        "asthma", current_version=1, reason="none", overlap_days=3
    ),
    "LoadOptOuts": lambda s: s.client.load_opt_outs(
        kind="opt_out",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        entries=1,
        chunks=[NUMBERS[:1]],
    ),
    "LoadAliases": lambda s: s.client.load_aliases(
        entries=1, chunks=[[(NUMBERS[8], NUMBERS[9])]]
    ),
    "VerifyRegister": lambda s: s.client.verify_register(),
    "CompactRegister": lambda s: s.client.compact_register(reason="no reason"),
    "EraseIdentities": lambda s: s.client.erase_identities(
        NUMBERS[7:8], kind="nhs_number", order="order 7"
    ),
    "SuspendProject": lambda s: s.client.suspend_project("asthma", reason="no reason"),
    "ResumeProject": lambda s: s.client.resume_project("asthma", reason="no reason"),
    "CloseProject": lambda s: s.client.close_project(
        "asthma", reason="no reason", cooling_days=7
    ),
    "AgreeToClose": lambda s: s.client.agree_to_close("asthma"),
    "DestroyProject": lambda s: s.client.destroy_project("asthma"),
    "CancelClosing": lambda s: s.client.cancel_closing("asthma", reason="no reason"),
}
READ: dict[str, Call] = {
    "GetProject": lambda s: s.client.get_project("asthma"),
    "GetPolicy": lambda s: s.client.get_policy("asthma", POLICY),
    "ListPolicies": lambda s: s.client.list_policies("asthma"),
}
LIST: dict[str, Call] = {"ListProjects": lambda s: s.client.list_projects()}
CHECK: dict[str, Call] = {
    "CheckPseudonyms": lambda s: s.client.check_pseudonyms("asthma", ["x"])
}
AUDIT: dict[str, Call] = {
    "ExportAudit": lambda s: list(s.client.export_audit()),
    "CheckpointAudit": lambda s: s.client.checkpoint_audit(),
}
ANSWER: dict[str, Call] = {
    "ReadProjectAudit": lambda s: list(s.client.read_project_audit("asthma")),
    "TraceSubject": lambda s: s.client.trace_subject(
        NUMBERS[0], kind="nhs_number", purpose=PURPOSE, project="asthma"
    ),
}
TRACE_ALL: dict[str, Call] = {
    "TraceSubject of all": lambda s: s.client.trace_subject(
        NUMBERS[0], kind="nhs_number", purpose=PURPOSE
    )
}
SUBMIT: dict[str, Call] = {"SubmitLinkage": ask}
LOCATE: dict[str, Call] = {
    "SubmitLinkage to locate": lambda s: ask(
        s,
        verb="locate",
        pseudonyms=[],
        identifier=NUMBERS[0],
        kind="nhs_number",
        legal_basis="subject_request",
    )
}
SEE: dict[str, Call] = {
    "GetLinkage": lambda s: s.client.get_linkage(s.asked.request_id),
}
SEE_ALL: dict[str, Call] = {
    "ListLinkages": lambda s: list(s.client.list_linkages("asthma")),
}
REVIEW: dict[str, Call] = {"ReviewLinkage": lambda s: vote(s.client, s.asked)}
OWN: dict[str, Call] = {
    "RedeemLinkage": lambda s: s.client.redeem_linkage(s.asked.request_id),
    "WithdrawLinkage": lambda s: s.client.withdraw_linkage(
        s.asked.request_id, reason="not needed"
    ),
}
RELEASED: dict[str, Call] = {
    "RecallOptOuts": lambda s: s.client.recall_opt_outs(
        "asthma", purpose=PURPOSE, take=lambda _: None
    ),
    "MapKeyVersions": lambda s: s.client.map_key_versions(
        "asthma", old_version=1, new_version=2, purpose=PURPOSE, take=lambda *_: None
    ),
}
CALLS = {
    **DATA,
    **MANAGE,
    **READ,
    **LIST,
    **CHECK,
    **AUDIT,
    **ANSWER,
    **TRACE_ALL,
    **SUBMIT,
    **LOCATE,
    **SEE,
    **SEE_ALL,
    **REVIEW,
    **OWN,
    **RELEASED,
}
MAY: dict[str, dict[str, Call]] = {
    "pipeline:asthma": DATA | READ | CHECK,
    "researcher:asthma": READ | CHECK | SUBMIT | SEE | SEE_ALL,
    "linkage_officer:asthma": {
        "GetProject": READ["GetProject"],
        **(CHECK | SUBMIT | LOCATE | SEE | SEE_ALL | REVIEW | RELEASED),
    },
    "guardian:asthma": READ | CHECK | ANSWER | SEE | SEE_ALL | REVIEW,
    "custodian": MANAGE | READ | LIST,
    "auditor": AUDIT | READ | LIST | ANSWER | TRACE_ALL | SEE | SEE_ALL,
    "pipeline:stroke": {},
    "researcher:stroke": {},
    "linkage_officer:stroke": {},
    "guardian:stroke": {},
    "": {},
}
"""``OWN`` is of one person, whatever their role: of Mara, who asked and will redeem."""

OF_ONE_REQUEST = {**SEE, **REVIEW, **OWN}
LET_IN_AND_REFUSED = {
    "AgreeToClose": "CLOSING_REFUSED",  # by whoever asked for it
    "DestroyProject": "CLOSING_REFUSED",  # nobody has agreed
    "RecallOptOuts": "INVALID_ARGUMENT",  # opt-outs are not applied here
    "MapKeyVersions": "INVALID_ARGUMENT",  # nothing was rotated
}
"""Who may call these, and then may not do it yet; never a refusal for a role."""


def set_scene(people: People, *roles: str, subject: str) -> Scene:
    pseudonym = people.service.pseudonymise(NUMBERS[0])
    assert pseudonym is not None
    return Scene(
        client=people.service.client(
            *[role for role in roles if role], subject=subject
        ),
        people=people,
        pseudonym=pseudonym,
        asked=people.submit([pseudonym]),
    )


def choose_code(name: str, role: str) -> str:
    """Return how a call that a role may not make is refused."""
    if name in OF_ONE_REQUEST and "GetLinkage" not in MAY[role]:
        return "REQUEST_UNKNOWN"
    return "ACCESS_DENIED"


@pytest.mark.parametrize("role", MAY)
def test_what_a_role_may_not_is_refused_and_on_record(
    role: str, shared_service: RunningService
) -> None:
    """Every call that the table does not give is denied; nothing else is tried."""
    subject = f"curious-{role.replace(':', '-')}"
    scene = set_scene(People(service=shared_service), role, subject=subject)
    denied = [name for name in CALLS if name not in MAY[role]]
    for name in denied:
        with pytest.raises(PseudoClientError) as caught:
            CALLS[name](scene)
        assert caught.value.code == choose_code(name, role), name
        assert not [number for number in NUMBERS if number in caught.value.message]
    events = read_events(shared_service.auditor())
    refused = [
        event
        for event in events
        if event["actor"] == f"local:{subject}"
        and event["kind"] in {"call_refused", "linkage_refused"}
    ]
    assert len(refused) == len(denied)


@pytest.mark.parametrize("role", [role for role, may in MAY.items() if may])
def test_who_may_is_let_in(role: str, service: RunningService) -> None:
    service.custodian().register_policy(write_notes_policy("asthma"))
    scene = set_scene(People(service=service), role, subject="willing")
    service.telemetry.calls.clear()
    ended = {}
    for name, call in MAY[role].items():
        try:
            call(scene)
        except PseudoClientError as refusal:
            ended[name] = refusal.code
    expected = {n: c for n, c in LET_IN_AND_REFUSED.items() if n in MAY[role]}
    assert ended == expected
    assert _await_methods(service, len(MAY[role])) == {
        name.split()[0] for name in MAY[role]
    }


def _await_methods(service: RunningService, count: int) -> set[str]:
    """Return the methods that were called, once all of them are counted."""
    deadline = time.monotonic() + 10
    while len(service.telemetry.calls) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return {each.method.rsplit("/", 1)[-1] for each in service.telemetry.calls}


def test_who_asked_and_will_redeem_is_let_in(service: RunningService) -> None:
    people = People(service=service)
    scene = set_scene(people, "linkage_officer:asthma", subject="mara")
    people.approve(scene.asked)
    assert OWN["RedeemLinkage"](scene)
    other = set_scene(people, "linkage_officer:asthma", subject="mara")
    OWN["WithdrawLinkage"](other)
    standing = people.mara.get_linkage(other.asked.request_id).linkage
    assert standing.state == "withdrawn"


def test_every_call_is_tried_by_every_role() -> None:
    """A new method must be entered above, or nobody tests who may not call it."""
    named = {method.rsplit("/", 1)[1] for method in METHODS.authenticated}
    assert {name.split()[0] for name in CALLS} == named
    assert {name for may in MAY.values() for name in may} | set(OWN) == set(CALLS)
