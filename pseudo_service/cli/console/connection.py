"""How a command reaches the service: over the network, or embedded for the call.

With ``--server`` the command is a client like any other. Without it, the service
of ``--config`` is started on loopback for the length of the command, with the same
TLS, tokens, checks and audit; there is no way in beside the wire contract.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, cast

import typer

from pseudo_client import Client
from pseudo_service.cli.console.exit_codes import Failure, withhold_numbers
from pseudo_service.config import Config, load_config

P = ParamSpec("P")

_TOKEN_VARIABLE = "PSEUDO_TOKEN"  # noqa: S105 - the variable's name, not a token
_DEFAULT_CONFIG = Path("pseudo.yaml")
OPERATOR = "command-line"

_PANEL = "Which service"
_ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="HOST:PORT",
        envvar="PSEUDO_SERVER",
        help="A running service. Without it the service of --config is started "
        "for the length of the command.",
        rich_help_panel=_PANEL,
    ),
]
_AuthoritiesOption = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        metavar="PEM",
        envvar="PSEUDO_CA",
        help="Certificates to believe the server by; otherwise the system's.",
        rich_help_panel=_PANEL,
    ),
]
_TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help=f"A file with an access token; otherwise the variable {_TOKEN_VARIABLE}.",
        rich_help_panel=_PANEL,
    ),
]
_CertificateOption = Annotated[
    Path | None,
    typer.Option(
        "--client-certificate",
        metavar="PEM",
        help="A client certificate instead of a token; needs --client-key.",
        rich_help_panel=_PANEL,
    ),
]
_KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--client-key",
        metavar="PEM",
        help="The private key of --client-certificate.",
        rich_help_panel=_PANEL,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="PSEUDO_CONFIG",
        help="The service's configuration; otherwise ./pseudo.yaml.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """What the connection options of one command line say."""

    server: str | None = None
    ca: Path | None = None
    token_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    config: Path | None = None


_OPTIONS: dict[str, Any] = {
    "server": _ServerOption,
    "ca": _AuthoritiesOption,
    "token_file": _TokenOption,
    "client_certificate": _CertificateOption,
    "client_key": _KeyOption,
    "config": ConfigOption,
}


def takes_connection(
    command: Callable[Concatenate[ConnectionOptions, P], None],
) -> Callable[..., None]:
    """Add the connection options to a command, which gets them as its first value.

    Typer reads options from a signature, so the six are declared here once
    instead of in every command.
    """
    typed = cast("Callable[..., None]", command)  # typer passes everything by name
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
        )
        for name, annotation in _OPTIONS.items()
    ]
    merged = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]

    @wraps(command)
    def call(**given: Any) -> None:
        options = ConnectionOptions(**{name: given.pop(name) for name in _OPTIONS})
        typed(options, **given)

    call.__signature__ = signature.replace(parameters=merged + added)  # type: ignore[attr-defined] # functions carry it, the stubs do not say so
    call.__annotations__ = {each.name: each.annotation for each in merged + added}
    return call


@contextmanager
def connect(
    options: ConnectionOptions, *, roles: Sequence[str], subject: str = OPERATOR
) -> Iterator[Client]:
    """Open a client, on the embedded service with a token of exactly these roles.

    Args:
        options: From the command line.
        roles: ``custodian``, ``pipeline:PROJECT`` and so on; used only where the
            local issuer mints the token.
        subject: The caller that this token names.

    Raises:
        Failure: The options do not say which service, or contradict each other.
    """
    if options.server is not None:
        with _open_remote(options) as client:
            yield client
        return
    # Late: with --server a command needs nothing of the service but its wire contract.
    from pseudo_service.bootstrap.embedded import open_embedded  # noqa: PLC0415

    config = read_config(options.config)
    with open_embedded(config) as embedded:
        if embedded.issue_token is None:
            msg = (
                "the configuration has no local issuer, so no token can be made "
                "here: use --server with a token of your identity provider"
            )
            raise Failure(msg)
        token = embedded.issue_token(list(roles), subject)
        with Client(
            embedded.address,
            root_certificates=embedded.root_certificates,
            token=token,
        ) as client:
            yield client


@contextmanager
def _open_remote(options: ConnectionOptions) -> Iterator[Client]:
    """Open a client on ``--server`` with a token or a client certificate.

    Raises:
        Failure: No address, or neither or both of the two ways to show who calls.
    """
    if options.server is None:
        msg = "give the service with --server HOST:PORT"
        raise Failure(msg)
    if (options.client_certificate is None) != (options.client_key is None):
        msg = "--client-certificate and --client-key go together: give both"
        raise Failure(msg)
    token = None if options.client_certificate else _read_token(options.token_file)
    with Client(
        options.server,
        root_certificates=_read_pem(options.ca, "--ca"),
        token=token,
        client_certificate=_read_pem(
            options.client_certificate, "--client-certificate"
        ),
        client_key=_read_pem(options.client_key, "--client-key"),
    ) as client:
        yield client


def read_config(path: Path | None) -> Config:
    """Read ``--config``, or ./pseudo.yaml.

    Raises:
        Failure: Neither is there.
        ConfigurationInvalid: The file cannot be used.
    """
    chosen = path or _DEFAULT_CONFIG
    if not chosen.is_file():
        what = f"no configuration {chosen}" if path else "no service to speak to"
        msg = (
            f"{what}: give --server HOST:PORT, or --config FILE "
            "(`pseudo init DIR` writes one)"
        )
        raise Failure(msg)
    return load_config(chosen)


def _read_token(path: Path | None) -> str:
    """Read the access token from a file, or from the environment.

    Raises:
        Failure: There is none; the token itself is never in the message.
    """
    if path is None:
        token = os.environ.get(_TOKEN_VARIABLE, "").strip()
        where = f"the variable {_TOKEN_VARIABLE} is empty"
    else:
        token = read_text_file(path, "--token-file").strip()
        where = f"{path} is empty"
    if not token:
        msg = (
            f"no access token: {where}; give --token-file FILE, set {_TOKEN_VARIABLE} "
            "or show a certificate with --client-certificate"
        )
        raise Failure(msg)
    return token


def read_text_file(path: Path, option: str) -> str:
    """Read a small text file that an option names.

    Raises:
        Failure: It cannot be read; the cause's own text is not repeated.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        # A person may have given a patient's number where its file is wanted.
        name = withhold_numbers(str(path))
        msg = f"{option}: {name} cannot be read as text; check the path and its rights"
        raise Failure(msg) from None


def _read_pem(path: Path | None, option: str) -> bytes | None:
    return None if path is None else read_text_file(path, option).encode()
