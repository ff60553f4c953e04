"""Makes every call of linkage, of the register and of a project's end, with canaries."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pyarrow as pa

from pseudo_client import Client, Linkage, OptOuts
from pseudo_client.errors import ServiceUnavailable
from tests.lib.services.service import RunningService
from tests.lib.values.canaries import (
    BAD_NUMBER,
    MRN,
    NOTE,
    NUMBERS,
    SURNAME,
    Canaries,
    make_canary_table,
)
from tests.lib.values.cohort import PURPOSE, make_numbers
from tests.lib.values.linkage_people import People, vote

ROTATION_POLICY = """
policy: asthma/rotated@1
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, rename: patient, previous: old}
"""
LOCATING = {"verb": "locate", "legal_basis": "subject_request", "kind": "nhs_number"}
Call = Callable[[], object]


@dataclass(kw_only=True)
class WatchedPeople(People):
    """People whose tokens, and whose private key, are canaries, too."""

    canaries: Canaries
    everything_seen: list[object] = field(default_factory=list)
    known: dict[tuple[str, ...], Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.canaries.secrets["the officer's key"] = self.key.private_bytes_raw()

    def be(self, person: str, *roles: str) -> Client:
        if (person, *roles) not in self.known:
            token = self.canaries.add_token(self.service.issue(*roles, subject=person))
            self.known[person, *roles] = self.service.connect(token=token)
        return self.known[person, *roles]

    @property
    def custodian(self) -> Client:
        return self.be("cleo", "custodian")

    @property
    def auditor(self) -> Client:
        return self.be("ada", "auditor")

    def see(self, *answers: object) -> None:
        """Keep what came back to a person, but for the opened result."""
        self.everything_seen += answers


def make_linkage_calls(people: WatchedPeople) -> list[str]:
    """Make the calls that are answered.

    Returns:
        All that came back to anybody, but for the opened results.
    """
    service = people.service
    wanted = service.deidentify(make_canary_table())["patient"].to_pylist()
    service.deidentify(make_canary_table(), "stroke")
    _release(people, wanted)
    _search(people)
    _rotate(people)
    _recall(people)
    _maintain_register(people)
    _close(people)
    people.see(*people.gwen.read_project_audit("asthma"))
    people.see(*people.auditor.export_audit())
    return [repr(each) for each in people.everything_seen]


def _release(people: WatchedPeople, wanted: Sequence[str]) -> None:
    """Re-identify, translate, withdraw, reject, and break the glass."""
    asked = people.submit(wanted)
    people.see(asked, vote(people.gwen, asked), vote(people.ravi, asked))
    sealed = people.mara.redeem_linkage(asked.request_id)
    again = people.mara.redeem_linkage(asked.request_id)
    rows = people.open(sealed, asked).rows
    assert {row["identifier"] for row in rows} == set(NUMBERS)  # here, and only here
    people.see(sealed, again, people.gwen.get_linkage(asked.request_id))
    both = people.be("mara", "linkage_officer:asthma", "linkage_officer:stroke")
    joint = people.submit(
        wanted, client=both, verb="translate", target_project="stroke"
    )
    noor = people.be("noor", "guardian:stroke")
    people.see(people.approve(joint, people.gwen, noor))
    sealed = both.redeem_linkage(joint.request_id)
    people.see(sealed, people.open(sealed, joint))  # a translation names nobody
    emergency = people.submit(wanted[:1], mode="break_glass", hours=2)
    vote(people.gwen, emergency)
    people.see(people.mara.redeem_linkage(emergency.request_id))
    people.see(vote(people.ravi, emergency, "reject"))
    withdrawn = people.submit(wanted[:2])
    people.see(people.mara.withdraw_linkage(withdrawn.request_id, reason="no need"))
    people.see(*people.mara.list_linkages("asthma"))


def _search(people: WatchedPeople) -> None:
    """Locate a person, and trace who had them released."""
    located = people.submit(identifier=NUMBERS[0], **LOCATING)
    people.see(people.gwen.get_linkage(located.request_id))
    people.approve(located)
    sealed = people.mara.redeem_linkage(located.request_id)
    people.see(sealed, people.open(sealed, located))
    tracing = {"kind": "nhs_number", "purpose": "a complaint"}
    history = people.gwen.trace_subject(NUMBERS[0], project="asthma", **tracing)
    assert history.releases
    people.see(history, people.auditor.trace_subject(NUMBERS[1], **tracing))


def _rotate(people: WatchedPeople) -> None:
    """Have the old pseudonyms beside the new, and the map between them."""
    service, custodian = people.service, people.custodian
    custodian.register_policy(ROTATION_POLICY)
    people.see(
        custodian.rotate_key(
            "asthma", current_version=1, reason="yearly", overlap_days=14
        )
    )
    answer = service.pipeline().deidentify(
        pa.table({"nhs": [*NUMBERS, BAD_NUMBER, SURNAME]}),
        project="asthma",
        policy="rotated@1",
        purpose=PURPOSE,
    )
    assert answer.read_all()["old"].null_count < len(NUMBERS)
    people.see(answer.receipt, answer.pins)
    people.see(
        people.mara.map_key_versions(
            "asthma",
            old_version=1,
            new_version=2,
            purpose=PURPOSE,
            take=people.see,
        )
    )


def _recall(people: WatchedPeople) -> None:
    """Opt people out whose pseudonyms are released, and recall those."""
    service, custodian = people.service, people.custodian
    applied = OptOuts(
        application="applied", legal_basis="section 251", uncheckable="remove"
    )
    service.create_project("kidney", opt_outs=applied)
    for listed in (make_numbers(888_000, 1), NUMBERS):
        custodian.load_opt_outs(
            kind="opt_out",
            expires_at=service.clock.now() + timedelta(days=3),
            entries=len(listed),
            chunks=[listed],
        )
        if listed is not NUMBERS:
            service.deidentify(make_canary_table(), "kidney")
    officer = people.be("mara", "linkage_officer:kidney")
    report = officer.recall_opt_outs("kidney", purpose=PURPOSE, take=people.see)
    assert report.pseudonyms == len(NUMBERS)
    people.see(report)


def _maintain_register(people: WatchedPeople) -> None:
    """Verify, compact and erase, and look for whom was erased."""
    custodian = people.custodian
    people.see(custodian.verify_register(watch=people.see))
    people.see(custodian.compact_register(reason="monthly", watch=people.see))
    report = custodian.erase_identities(
        [NUMBERS[-1]], kind="nhs_number", order="order 7"
    )
    assert report.erased == 1
    people.see(report)
    people.see(custodian.erase_identities([MRN], kind="mrn@RXH", order="order 8"))
    _await_register(people.service)


def _await_register(service: RunningService) -> None:
    """Return once the service has read the register anew, as an erasure makes it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            service.pseudonymise(NUMBERS[0])
        except ServiceUnavailable:
            time.sleep(0.05)
        else:
            return
    msg = "the register is not read anew"
    raise AssertionError(msg)


def _close(people: WatchedPeople) -> None:
    """Ask for a project's end twice, once to the last step before it."""
    custodian, second = people.custodian, people.be("cyril", "custodian")
    closing = {"reason": "the study ended", "cooling_days": 7}
    people.see(custodian.close_project("kidney", **closing))
    people.see(custodian.cancel_closing("kidney", reason="not yet"))
    people.see(custodian.close_project("kidney", **closing))
    people.see(second.agree_to_close("kidney"))


def refuse_linkage_calls(people: People) -> Iterator[Call]:
    """Yield calls that are refused, each with a canary somewhere."""
    answer = people.service.deidentify(make_canary_table())["patient"]
    wanted = answer.drop_null().to_pylist()  # who was re-issued has no pseudonym
    asked = people.submit(wanted)
    yield from _refused_requests(people, wanted)
    yield from _refused_reviews(people, asked)
    yield from _refused_register(people)
    yield from _refused_closings(people)


def _refused_requests(people: People, wanted: Sequence[str]) -> Iterator[Call]:
    number = NUMBERS[0]
    for changes in (
        {"pseudonyms": [number]},
        {"pseudonyms": [*wanted, NOTE]},
        {"purpose": f"look up {number}"},
        {"consent_reference": f"of {number}"},
        {"redeemer": f"{SURNAME}\n"},
        {"redeemer": number},
        {"verb": SURNAME},
        {"mode": number},
        {"legal_basis": NOTE},
        {"project": number},
        {"verb": "translate", "target_project": number},
        {"recipient_key": number.encode()},
        {"identifier": number},
    ):
        yield lambda stated={"pseudonyms": wanted, **changes}: people.submit(**stated)
    for changes in (
        {"identifier": BAD_NUMBER},
        {"identifier": SURNAME},
        {"identifier": number, "kind": MRN},
        {"identifier": number, "project": number},
    ):
        yield lambda stated={**LOCATING, **changes}: people.submit(**stated)


def _refused_reviews(people: People, asked: Linkage) -> Iterator[Call]:
    number, name = NUMBERS[0], asked.request_id
    yield lambda: vote(people.gwen, asked, reason=f"it is {number}")
    yield lambda: vote(people.gwen, asked, decision=SURNAME)
    yield lambda: vote(people.gwen, asked, digest=number.encode())
    yield lambda: people.mara.withdraw_linkage(name, reason=number)
    for text in (number, NOTE):
        yield lambda text=text: people.mara.redeem_linkage(text)
        yield lambda text=text: people.gwen.get_linkage(text)
        yield lambda text=text: list(people.gwen.list_linkages(text))
        yield lambda text=text: list(people.gwen.list_linkages("asthma", states=[text]))
        yield lambda text=text: list(people.gwen.read_project_audit(text))
    for changes in (
        {"identifier": BAD_NUMBER},
        {"identifier": SURNAME},
        {"kind": number},
        {"purpose": f"look up {number}"},
        {"project": number},
    ):
        stated = {
            "identifier": number,
            "kind": "nhs_number",
            "purpose": "a complaint",
            "project": "asthma",
            **changes,
        }
        yield lambda stated=stated: people.gwen.trace_subject(**stated)


def _refused_register(people: People) -> Iterator[Call]:
    custodian, number = people.be("cleo", "custodian"), NUMBERS[0]
    usual = {"kind": "nhs_number", "order": "order 7"}
    yield lambda: custodian.compact_register(reason=f"of {number}")
    yield lambda: custodian.erase_identities([BAD_NUMBER, *NUMBERS], **usual)
    yield lambda: custodian.erase_identities([SURNAME], **usual)
    yield lambda: custodian.erase_identities([number], kind=MRN, order="order 7")
    yield lambda: custodian.erase_identities(
        [number], kind="nhs_number", order=f"of {number}"
    )
    for project, purpose in ((number, PURPOSE), ("asthma", f"look up {number}")):
        yield lambda p=project, why=purpose: people.mara.recall_opt_outs(
            p, purpose=why, take=print
        )
        yield lambda p=project, why=purpose: people.mara.map_key_versions(
            p, old_version=1, new_version=2, purpose=why, take=print
        )


def _refused_closings(people: People) -> Iterator[Call]:
    custodian = people.be("cleo", "custodian")
    for text in (NUMBERS[0], NOTE):
        yield lambda t=text: custodian.close_project(t, reason="end", cooling_days=7)
        yield lambda t=text: custodian.cancel_closing(t, reason="not yet")
        yield lambda t=text: custodian.agree_to_close(t)
        yield lambda t=text: custodian.destroy_project(t)
        yield lambda t=text: custodian.rotate_key(
            t, current_version=1, reason="yearly", overlap_days=3
        )
    for reason in (NUMBERS[0], f"end\n{NOTE}"):
        yield lambda why=reason: custodian.close_project(
            "stroke", reason=why, cooling_days=7
        )
