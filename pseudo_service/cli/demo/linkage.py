"""The demo's second act: three patients are named again, once others have agreed."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import (
    Client,
    Linkage,
    LinkageResult,
    SealedResult,
    open_linkage_result,
)
from pseudo_service.cli.console.output import count_of, say, say_field, show_table
from pseudo_service.cli.demo.policies import SECOND_STUDY, STUDY
from pseudo_service.cli.demo.refusals import read_refusal
from pseudo_service.cli.demo.runs import Released, look_up
from pseudo_service.cli.demo.service import DemoService
from pseudo_service.cli.demo.synthetic import Extract
from pseudo_service.cli.linkage.officer_keys import write_fingerprint
from pseudo_service.cli.linkage.options import expire_after
from pseudo_service.cli.linkage.rendering import describe_missing
from pseudo_service.core.access.roles import Role
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageOutcome,
    LinkageVerb,
)
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat, parse_pseudonym

_WANTED = 3
_LOOKED_AT = 200
_DIGITS = 10
_HOURS = 24.0
_PURPOSE = "recall of patients after a safety alert"
_OFFICER, _GUARDIAN, _COLLEAGUE, _NEIGHBOUR = "Mara", "Gwen", "Ravi", "Noor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The service, the officer's key, and whom the demo's answer must name.

    ``numbers`` has the NHS number of each wanted pseudonym, from the extract.
    """

    service: DemoService
    key: X25519PrivateKey = field(repr=False)
    numbers: Mapping[str, str] = field(repr=False)

    @property
    def wanted(self) -> list[str]:
        """The pseudonyms of the patients to recall."""
        return list(self.numbers)

    def submit(self, client: Client, pseudonyms: Sequence[str], **more: str) -> Linkage:
        """Ask, as the officer."""
        return client.submit_linkage(
            verb=more.get("verb", LinkageVerb.REIDENTIFY.value),
            project=STUDY,
            target_project=more.get("target_project", ""),
            pseudonyms=pseudonyms,
            purpose=_PURPOSE,
            legal_basis=LegalBasis.DIRECT_CARE.value,
            consent_reference="letter of the controller",
            recipient_key=self.key.public_key().public_bytes_raw(),
            expires_at=expire_after(_HOURS),
        )

    def open(self, sealed: SealedResult, asked: Linkage) -> LinkageResult:
        """Open an answer with the officer's key."""
        return open_linkage_result(sealed, self.key, asked.digest)


def show_linkage(service: DemoService, extract: Extract, run: Released) -> bool:
    """Have patients named, and translated; return whether all went as it must."""
    desk = Desk(
        service=service,
        key=X25519PrivateKey.generate(),
        numbers=find_patients(service, extract, run),
    )
    fingerprint = write_fingerprint(desk.key.public_key().public_bytes_raw())
    say(
        f"{_OFFICER} is the linkage officer of {STUDY}. Three of its patients must be "
        "recalled, and only their pseudonyms are known. She has a key pair of her own."
    )
    say_field("  fingerprint", fingerprint)
    asked, held = ask_for_patients(desk)
    held &= review_twice(desk, asked)
    held &= redeem_and_compare(desk, asked)
    return translate_patients(desk) and held


def find_patients(
    service: DemoService, extract: Extract, run: Released
) -> dict[str, str]:
    """Return the NHS numbers of a few released pseudonyms, from the extract."""
    texts = extract.patients["nhs_number"][:_LOOKED_AT].to_pylist()
    plain = [text for text in texts if text and text.isdigit() and len(text) == _DIGITS]
    released = set(run.read_table()["patient"].to_pylist())
    found = look_up(service, run.project, plain)
    both = [(each, text) for text, each in found.items() if each in released]
    return dict(both[:_WANTED])


def ask_for_patients(desk: Desk) -> tuple[Linkage, bool]:
    """Ask, at first with a pseudonym mistyped; then with one that is nobody's."""
    right = desk.wanted[0]
    mistyped = right[:-1] + ("1" if right[-1] == "0" else "0")
    with _be(desk, _OFFICER, Role.LINKAGE_OFFICER) as client:
        say("She asks for them, and mistypes one:")
        code = read_refusal(lambda: desk.submit(client, [*desk.wanted[1:], mistyped]))
        asked = desk.submit(client, [*desk.wanted, invent_pseudonym(desk.wanted[0])])
        say("Typed rightly, and with one that is nobody's, the request stands:")
        say_field("  request", asked.request_id)
        say_field("  digest", asked.digest.hex())
        say(f"It needs {describe_missing(asked)}.")
    return asked, _expect(code, ErrorCode.REQUEST_REFUSED)


def invent_pseudonym(example: str) -> str:
    """Return a pseudonym of the same project, rightly written, that is nobody's."""
    parts = parse_pseudonym(example)
    written = PseudonymFormat(tag=parts.tag, kind=NHS_NUMBER, version=parts.version)
    return written.encode_one(bytes(byte ^ 0x55 for byte in parts.mac))


def review_twice(desk: Desk, asked: Linkage) -> bool:
    """Show who may not review, and that the first vote hides; then approve."""
    with _be(desk, _OFFICER, Role.LINKAGE_OFFICER, Role.GUARDIAN) as client:
        say(f"{_OFFICER} approves it herself, although she is a guardian, too:")
        alone = read_refusal(lambda: _approve(client, asked))
        say(f"{_GUARDIAN}, guardian of {STUDY}, approves. {_OFFICER} redeems:")
        with _be(desk, _GUARDIAN, Role.GUARDIAN) as guardian:
            _approve(guardian, asked)
        early = read_refusal(lambda: client.redeem_linkage(asked.request_id))
    with _be(desk, _COLLEAGUE, Role.LINKAGE_OFFICER) as colleague:
        shown = colleague.get_linkage(asked.request_id).linkage
        say(
            f"{_COLLEAGUE}, an officer, sees {count_of(len(shown.votes), 'vote')} and "
            f"that {shown.hidden_votes} is hidden until his own. He approves."
        )
        state = _approve(colleague, asked).state
    say_field("  state", state)
    return (
        _expect(alone, ErrorCode.REVIEW_REFUSED)
        and _expect(early, ErrorCode.REQUEST_STATE)
        and _hold((len(shown.votes), shown.hidden_votes, state) == (0, 1, "approved"))
    )


def redeem_and_compare(desk: Desk, asked: Linkage) -> bool:
    """Release once, open, hold against the extract; then fetch the same again."""
    say("A pipeline of the study tries to redeem it:")
    with _be(desk, "loader", Role.PIPELINE) as client:
        stolen = read_refusal(lambda: client.redeem_linkage(asked.request_id))
    with _be(desk, _OFFICER, Role.LINKAGE_OFFICER) as client:
        first = client.redeem_linkage(asked.request_id)
        again = client.redeem_linkage(asked.request_id)
    size = count_of(len(first.sealed), "byte")
    say(f"{_OFFICER} redeems it: {size}, sealed. Only her key opens them:")
    rows = desk.open(first, asked).rows
    show_table(
        ("pseudonym", "outcome", "NHS number"),
        [(row["subject"], row["outcome"], row.get("identifier", "")) for row in rows],
    )
    named = {row["subject"]: row["identifier"] for row in rows if "identifier" in row}
    right = named == dict(desk.numbers)
    unknown = [row["outcome"] for row in rows].count(LinkageOutcome.UNKNOWN) == 1
    once = (first.released_now, again.released_now) == (True, False)
    if right and unknown and once:
        say(
            "These are the numbers of the extract. Redeemed again, the kept answer "
            "comes, and the register stays shut."
        )
    denied = _expect(stolen, ErrorCode.REQUEST_UNKNOWN)
    return _hold(right and unknown and once) and denied


def translate_patients(desk: Desk) -> bool:
    """Turn the pseudonyms into the other study's, without naming anybody."""
    say(
        f"Now the same patients as {SECOND_STUDY} knows them: guardians of both studies "
        "must agree, and nobody is named."
    )
    with _be(
        desk, _OFFICER, Role.LINKAGE_OFFICER, projects=(STUDY, SECOND_STUDY)
    ) as client:
        asked = desk.submit(
            client,
            desk.wanted,
            verb=LinkageVerb.TRANSLATE.value,
            target_project=SECOND_STUDY,
        )
        with _be(desk, _GUARDIAN, Role.GUARDIAN) as guardian:
            _approve(guardian, asked)
        with _be(
            desk, _NEIGHBOUR, Role.GUARDIAN, projects=(SECOND_STUDY,)
        ) as neighbour:
            _approve(neighbour, asked)
        rows = desk.open(client.redeem_linkage(asked.request_id), asked).rows
    show_table(
        (STUDY, SECOND_STUDY),
        [(row["subject"], row.get("pseudonym", row["outcome"])) for row in rows],
    )
    theirs = look_up(desk.service, SECOND_STUDY, list(desk.numbers.values()))
    expected = {mine: theirs[number] for mine, number in desk.numbers.items()}
    found = {row["subject"]: row.get("pseudonym") for row in rows}
    return _hold(found == expected and not any("identifier" in row for row in rows))


def _be(
    desk: Desk, person: str, *roles: Role, projects: Sequence[str] = (STUDY,)
) -> AbstractContextManager[Client]:
    return desk.service.connect(
        *(f"{role}:{project}" for role in roles for project in projects),
        person=person.lower(),
    )


def _approve(client: Client, asked: Linkage) -> Linkage:
    return client.review_linkage(
        asked.request_id,
        digest=asked.digest,
        decision=Decision.APPROVE.value,
        reason="the recall is clinical care",
    )


def _expect(code: str, wanted: ErrorCode) -> bool:
    return _hold(code == wanted)


def _hold(held: bool) -> bool:
    if not held:
        say("  This did NOT go as it must: please report it.", style="bold red")
    return held
