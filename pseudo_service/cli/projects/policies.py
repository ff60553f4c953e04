"""``pseudo policy``: writes, explains and registers policies."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pseudo_client import Policy
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    read_text_file,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import say, say_field, show_json, show_table
from pseudo_service.cli.inputs.csv_reader import CsvForm
from pseudo_service.cli.inputs.files import find_inputs
from pseudo_service.cli.inputs.readers import TableInput, open_inputs
from pseudo_service.cli.projects.command import ProjectArgument
from pseudo_service.core.access.roles import Role
from pseudo_service.core.policies.explanation import explain_policy
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.suggestion import profile_table, write_policy
from pseudo_service.core.projects.project import check_project_id

app = typer.Typer(help="Write, explain and register policies.", no_args_is_help=True)

_PolicyFile = Annotated[
    Path, typer.Argument(metavar="POLICY.yaml", help="The policy's text.")
]

_TableOption = Annotated[
    str | None,
    typer.Option(
        "--input", metavar="TABLE", help="A table to hold the policy against."
    ),
]
_LONGEST_NAME = 40
_REVIEW = "review: "
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@app.command(
    epilog=show_examples(
        "pseudo policy suggest admissions.parquet --project asthma > admissions.yaml",
        "pseudo policy suggest 'extract/part-*.csv' --project asthma --release stays",
    )
)
def suggest(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A file, a folder or a quoted glob.")
    ],
    project: Annotated[str, typer.Option(help="Whose policy it becomes.")],
    release: Annotated[
        str | None,
        typer.Option(help="What the release is called; otherwise after the file."),
    ] = None,
) -> None:
    """Profile a table and print a first policy for it, to be reviewed line by line.

    Nothing is sent anywhere, and columns are dropped in doubt.
    """
    check_project_id(project)
    name = release or name_release(Path(table))
    with open_table(table) as source:
        suggestion = profile_table(source.batches())
    text = write_policy(suggestion, f"{project}/{name}@1")
    parse_policy(text)
    typer.echo(text, nl=False)


@app.command(
    epilog=show_examples(
        "pseudo policy check admissions.yaml",
        "pseudo policy check admissions.yaml --input admissions.parquet",
    )
)
def check(
    file: _PolicyFile, table: _TableOption = None, json: JsonOption = False
) -> None:
    """Say in words what a policy does to each column, and what needs a second look.

    Refuses a policy that does not fit the table. What a person should look at is
    said, and is no error.
    """
    policy = parse_policy(read_text_file(file, "POLICY.yaml"))
    schema = None
    if table is not None:
        with open_table(table) as source:
            schema = source.schema
    lines = explain_policy(policy, schema)
    if json:
        show_json(
            {
                "policy": policy.address,
                "digest": policy.digest.hex(),
                "explanation": [each for each in lines if not _needs_review(each)],
                "review": [
                    each.removeprefix(_REVIEW) for each in lines if _needs_review(each)
                ],
            }
        )
        return
    for line in lines:
        say(line, style="yellow" if _needs_review(line) else None)


def _needs_review(line: str) -> bool:
    return line.startswith(_REVIEW)


@contextmanager
def open_table(pattern: str) -> Iterator[TableInput]:
    """Open the first file that a path, folder or glob stands for."""
    with tempfile.TemporaryDirectory(prefix="pseudo-policy-") as scratch:
        files = find_inputs([pattern])
        yield open_inputs(files[:1], CsvForm(), Path(scratch))[0]


def name_release(path: Path) -> str:
    """Return a release name after a file: ``admissions`` for admissions.csv.gz."""
    stem = path.name.split(".")[0].lower()
    plain = _NOT_IN_A_NAME.sub("-", stem).strip("-")
    return plain if plain[:1].isalpha() and len(plain) <= _LONGEST_NAME else "table"


@app.command(
    epilog=show_examples(
        "pseudo policy register admissions.yaml",
        "pseudo policy register admissions.yaml --json",
    )
)
@takes_connection
def register(
    options: ConnectionOptions, file: _PolicyFile, json: JsonOption = False
) -> None:
    """Register a policy for good; the same text again is no error."""
    text = read_text_file(file, "POLICY.yaml")
    parse_policy(text)
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        registered = client.register_policy(text)
    if json:
        show_json(_describe_policy(registered))
        return
    say_field("registered", registered.address)
    say_field("digest", registered.digest.hex())


@app.command(
    epilog=show_examples(
        "pseudo policy show asthma admissions@1",
        "pseudo policy show asthma admissions@1 > admissions.yaml",
    )
)
@takes_connection
def show(
    options: ConnectionOptions,
    project: ProjectArgument,
    policy: Annotated[str, typer.Argument(metavar="RELEASE@N")],
    json: JsonOption = False,
) -> None:
    """Print the text of a registered policy."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        found = client.get_policy(project, policy)
    if json:
        show_json({**_describe_policy(found), "text": found.text})
        return
    typer.echo(found.text, nl=not found.text.endswith("\n"))


@app.command("list", epilog=show_examples("pseudo policy list asthma"))
@takes_connection
def list_policies(
    options: ConnectionOptions, project: ProjectArgument, json: JsonOption = False
) -> None:
    """List the policies of a project."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        found = client.list_policies(project)
    if json:
        show_json({"policies": [_describe_policy(each) for each in found]})
    elif not found:
        say(f"{project} has no policy yet; `pseudo policy suggest` writes a first one.")
    else:
        show_table(
            ("policy", "registered", "by", "digest"),
            [
                (
                    each.address,
                    f"{each.registered_at:%Y-%m-%d %H:%M}",
                    each.registered_by,
                    each.digest.hex()[:12],
                )
                for each in found
            ],
        )


def _describe_policy(policy: Policy) -> dict[str, Any]:
    """Return a policy as ``--json`` gives it, without its text."""
    return {
        "policy": policy.address,
        "digest": policy.digest.hex(),
        "registered_at": policy.registered_at.isoformat(),
        "registered_by": policy.registered_by,
    }
