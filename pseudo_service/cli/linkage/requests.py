"""``pseudo linkage``: submits requests, each of which two people review."""

from pathlib import Path
from typing import Annotated

import typer

from pseudo_client import Linkage
from pseudo_service.cli.console.connection import ConnectionOptions, takes_connection
from pseudo_service.cli.console.exit_codes import show_examples
from pseudo_service.cli.console.options import AsOption, JsonOption, RoleOption
from pseudo_service.cli.console.output import say, say_field, show_json
from pseudo_service.cli.inputs.lines import read_identifier
from pseudo_service.cli.linkage import officer_keys, redemption, reviews
from pseudo_service.cli.linkage.options import (
    BasisOption,
    ConsentOption,
    EitherHoursOption,
    HoursOption,
    IdentifierFileOption,
    KeyOption,
    ProjectOption,
    PurposeOption,
    RedeemerOption,
    expire_after,
    open_desk,
    read_pseudonyms,
)
from pseudo_service.cli.linkage.rendering import (
    describe_linkage,
    describe_missing,
    summarise_request,
)
from pseudo_service.core.access.roles import Role
from pseudo_service.core.linkage.request import LegalBasis, LinkageMode, LinkageVerb

_ROUTINE_HOURS = 72.0
_EMERGENCY_HOURS = 2.0

FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="One pseudonym a line; - for standard input."),
]

app = typer.Typer(
    help="Re-identify, translate and locate people, with four eyes on each.",
    no_args_is_help=True,
)
app.command(epilog=officer_keys.KEYGEN_EXAMPLES)(officer_keys.keygen)


@app.callback()
def linkage() -> None:
    """Ask for a release, review it, redeem it; see docs/linkage.md for who does what."""


@app.command(
    epilog=show_examples(
        "pseudo linkage submit cohort.txt --project asthma --key officer.public.pem \\",
        "    --purpose 'recall after a safety alert' --legal-basis direct_care \\",
        "    --consent 'letter of 3 March'",
        "pseudo linkage submit one.txt --project asthma --key officer.public.pem \\",
        "    --purpose 'critical result' --legal-basis vital_interests \\",
        "    --consent 'on-call controller' --break-glass",
    )
)
@takes_connection
def submit(
    options: ConnectionOptions,
    *,
    file: FileArgument,
    project: ProjectOption,
    purpose: PurposeOption,
    legal_basis: BasisOption,
    consent: ConsentOption,
    key: KeyOption,
    redeemer: RedeemerOption = "",
    valid_hours: EitherHoursOption = None,
    break_glass: Annotated[
        bool,
        typer.Option(
            "--break-glass",
            help="An emergency: one person, one guardian now, a second review later.",
        ),
    ] = False,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for the identifiers behind pseudonyms."""
    pseudonyms, recipient = read_pseudonyms(file), officer_keys.read_public(key)
    usual_hours = _EMERGENCY_HOURS if break_glass else _ROUTINE_HOURS
    with open_desk(
        options,
        person=person,
        roles=role,
        usually=[f"{Role.LINKAGE_OFFICER}:{project}"],
    ) as client:
        made = client.submit_linkage(
            verb=LinkageVerb.REIDENTIFY.value,
            mode=(
                LinkageMode.BREAK_GLASS if break_glass else LinkageMode.ROUTINE
            ).value,
            project=project,
            pseudonyms=pseudonyms,
            purpose=purpose,
            legal_basis=legal_basis.value,
            consent_reference=consent,
            recipient_key=recipient,
            redeemer=redeemer,
            expires_at=expire_after(valid_hours or usual_hours),
        )
    print_submitted(made, json=json)


@app.command(
    epilog=show_examples(
        "pseudo linkage translate cohort.txt --project asthma --target stroke \\",
        "    --key officer.public.pem --purpose 'joint analysis' \\",
        "    --legal-basis section_251 --consent 'CAG 24/CAG/0001'",
    )
)
@takes_connection
def translate(
    options: ConnectionOptions,
    *,
    file: FileArgument,
    project: ProjectOption,
    target: Annotated[str, typer.Option(help="Whose pseudonyms are wanted.")],
    purpose: PurposeOption,
    legal_basis: BasisOption,
    consent: ConsentOption,
    key: KeyOption,
    redeemer: RedeemerOption = "",
    valid_hours: HoursOption = _ROUTINE_HOURS,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for another project's pseudonyms; nobody is told who the people are."""
    pseudonyms, recipient = read_pseudonyms(file), officer_keys.read_public(key)
    officer = Role.LINKAGE_OFFICER
    with open_desk(
        options,
        person=person,
        roles=role,
        usually=[f"{officer}:{project}", f"{officer}:{target}"],
    ) as client:
        made = client.submit_linkage(
            verb=LinkageVerb.TRANSLATE.value,
            project=project,
            target_project=target,
            pseudonyms=pseudonyms,
            purpose=purpose,
            legal_basis=legal_basis.value,
            consent_reference=consent,
            recipient_key=recipient,
            redeemer=redeemer,
            expires_at=expire_after(valid_hours),
        )
    print_submitted(made, json=json)


@app.command(
    epilog=show_examples(
        "pseudo linkage locate --project asthma --key officer.public.pem \\",
        "    --purpose 'request for access' --consent 'SAR of 3 March'",
        "pseudo linkage locate --identifier-file number.txt --project asthma ...",
    )
)
@takes_connection
def locate(
    options: ConnectionOptions,
    *,
    project: Annotated[
        str, typer.Option(help="Whose guardian answers for the request.")
    ],
    purpose: PurposeOption,
    consent: ConsentOption,
    key: KeyOption,
    identifier_file: IdentifierFileOption = None,
    kind: Annotated[str, typer.Option(help="The kind of number.")] = "nhs_number",
    legal_basis: BasisOption = LegalBasis.SUBJECT_REQUEST,
    redeemer: RedeemerOption = "",
    valid_hours: HoursOption = _ROUTINE_HOURS,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Ask which projects hold one person, for that person's own request."""
    recipient = officer_keys.read_public(key)
    identifier = read_identifier(identifier_file)
    with open_desk(
        options,
        person=person,
        roles=role,
        usually=[f"{Role.LINKAGE_OFFICER}:{project}"],
    ) as client:
        made = client.submit_linkage(
            verb=LinkageVerb.LOCATE.value,
            project=project,
            identifier=identifier,
            kind=kind,
            purpose=purpose,
            legal_basis=legal_basis.value,
            consent_reference=consent,
            recipient_key=recipient,
            redeemer=redeemer,
            expires_at=expire_after(valid_hours),
        )
    print_submitted(made, json=json)


def print_submitted(made: Linkage, *, json: bool) -> None:
    """Print the request that was submitted, and what is missing."""
    if json:
        show_json(describe_linkage(made))
        return
    say(summarise_request(made))
    say_field("request", made.request_id)
    say_field("digest", made.digest.hex())
    say_field("sealed to", officer_keys.write_fingerprint(made.recipient_key))
    say_field("expires", f"{made.expires_at:%Y-%m-%d %H:%M} UTC")
    say_field("missing", describe_missing(made))


reviews.register(app)
redemption.register(app)
