"""The demo's mistakes: each must be refused, and the demo fails if one is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pseudo_client import PseudoClientError
from pseudo_service.cli.console.output import say, say_field
from pseudo_service.cli.demo.policies import STUDY
from pseudo_service.cli.demo.runs import PURPOSE, Released
from pseudo_service.cli.demo.service import DemoService
from pseudo_service.cli.demo.synthetic import Extract
from pseudo_service.cli.pseudonyms import MEANINGS
from pseudo_service.core.access.roles import Role
from pseudo_service.core.error_codes import ErrorCode

_FOREIGN = "PROJECT_TAG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What somebody does wrongly, and the code that it must be refused with."""

    text: str
    code: str
    commit: Callable[[], str]


def make_mistakes(
    service: DemoService, extract: Extract, released: Sequence[Released]
) -> bool:
    """Make three mistakes; return whether each was refused for its own cause."""
    foreign = released[-1].read_table()["patient"].drop_null()[0].as_py()
    mistakes = (
        Mistake(
            text="A pseudonym of one project is joined to the other.",
            code=_FOREIGN,
            commit=lambda: check_pseudonym(service, foreign),
        ),
        Mistake(
            text="The extract gains a column that the policy does not name.",
            code=ErrorCode.COLUMN_UNLISTED,
            commit=lambda: send_unlisted_column(service, extract),
        ),
        Mistake(
            text="A researcher asks for the pseudonym of a number.",
            code=ErrorCode.ACCESS_DENIED,
            commit=lambda: ask_as_researcher(service, extract),
        ),
    )
    refused = [_is_refused(mistake) for mistake in mistakes]
    return all(refused)


def check_pseudonym(service: DemoService, foreign: str) -> str:
    """Check another project's pseudonym; return the outcome."""
    with service.connect(f"{Role.RESEARCHER}:{STUDY}") as client:
        outcome = client.check_pseudonyms(STUDY, [foreign])[0].outcome
    say_field("  answer", f"{MEANINGS.get(outcome, outcome)} [{outcome}]")
    return outcome


def send_unlisted_column(service: DemoService, extract: Extract) -> str:
    """Stream a table with a column too many; return the code of the refusal."""
    few = extract.patients[:10]
    table = few.append_column("next_of_kin", pa.array(["somebody"] * len(few)))
    with service.connect(f"{Role.PIPELINE}:{STUDY}") as client:
        return read_refusal(
            lambda: client.deidentify(
                table, project=STUDY, policy="patients@1", purpose=PURPOSE
            ).read_all()
        )


def ask_as_researcher(service: DemoService, extract: Extract) -> str:
    """Ask for a pseudonym as a researcher; return the code of the refusal."""
    number = extract.numbers[0].as_py()
    with service.connect(f"{Role.RESEARCHER}:{STUDY}") as client:
        return read_refusal(
            lambda: client.pseudonymise(
                [number], kind="nhs_number", project=STUDY, purpose=PURPOSE
            )
        )


def read_refusal(call: Callable[[], object]) -> str:
    """Make a call and say how it is refused; return the code, or nothing."""
    try:
        call()
    except PseudoClientError as refusal:
        say_field("  answer", f"{refusal.message} [{refusal.code}]")
        return refusal.code
    return ""


def _is_refused(mistake: Mistake) -> bool:
    say(mistake.text)
    refused = mistake.commit() == mistake.code
    if not refused:
        say("  This was NOT refused as it must be: please report it.", style="bold red")
    return refused
