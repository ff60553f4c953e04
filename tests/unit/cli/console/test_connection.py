"""Which service a command speaks to, and as whom."""

import pytest

from pseudo_service.cli.console import connection
from pseudo_service.cli.console.exit_codes import ExitCode

REMOTE = ("project", "list", "--server", "pseudo.example:8443")


def test_without_a_server_or_configuration_both_ways_are_named(
    service, pseudo, tmp_path
):
    (tmp_path / "pseudo.yaml").unlink()
    done = pseudo("project", "list")
    assert done.code == ExitCode.USAGE
    assert "--server HOST:PORT" in done.err
    assert "--config FILE" in done.err


def test_the_configuration_may_come_from_the_environment(
    service, pseudo, tmp_path, monkeypatch
):
    moved = (tmp_path / "pseudo.yaml").rename(tmp_path / "elsewhere.yaml")
    monkeypatch.setenv("PSEUDO_CONFIG", str(moved))
    assert pseudo("project", "list").code == ExitCode.OK


def test_a_wrong_configuration_is_named_by_key(service, pseudo, tmp_path):
    (tmp_path / "pseudo.yaml").write_text("environment: laptop\nunheard_of: 1\n")
    done = pseudo("project", "list")
    assert done.code == ExitCode.USAGE
    assert "unheard_of" in done.err
    assert "[CONFIGURATION_INVALID]" in done.err


def test_without_a_local_issuer_nothing_is_minted(service, pseudo):
    service.has_issuer = False
    done = pseudo("project", "list")
    assert done.code == ExitCode.USAGE
    assert "no local issuer" in done.err
    assert service.connections == []
    assert service.closed == 1


def test_a_remote_service_is_called_with_the_token_of_the_file(
    service, pseudo, tmp_path
):
    (tmp_path / "token").write_text("abc.def.ghi\n")
    (tmp_path / "ca.pem").write_text("PEM")
    done = pseudo(*REMOTE, "--token-file", "token", "--ca", "ca.pem")
    assert done.code == ExitCode.OK
    assert service.connections == [
        {
            "address": "pseudo.example:8443",
            "root_certificates": b"PEM",
            "token": "abc.def.ghi",
            "client_certificate": None,
            "client_key": None,
        }
    ]
    assert service.roles == []
    assert service.closed == 0


def test_the_token_may_come_from_the_environment(service, pseudo, monkeypatch):
    monkeypatch.setenv("PSEUDO_TOKEN", "from.the.environment")
    pseudo(*REMOTE)
    assert service.connections[0]["token"] == "from.the.environment"


def test_a_certificate_takes_the_place_of_a_token(service, pseudo, tmp_path):
    for name in ("client.pem", "client.key"):
        (tmp_path / name).write_text(name)
    pseudo(*REMOTE, "--client-certificate", "client.pem", "--client-key", "client.key")
    assert service.connections[0]["token"] is None
    assert service.connections[0]["client_key"] == b"client.key"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "no access token"),
        (("--token-file", "empty"), "empty is empty"),
        (("--token-file", "absent"), "cannot be read"),
        (("--client-key", "empty"), "go together"),
    ],
)
def test_a_caller_who_cannot_be_shown_is_told_what_to_do(
    service, pseudo, tmp_path, options, says
):
    (tmp_path / "empty").write_text("\n")
    done = pseudo(*REMOTE, *options)
    assert done.code == ExitCode.USAGE
    assert says in done.err
    assert service.connections == []


def test_help_shows_the_connection_options_of_every_command(service, pseudo):
    help_text = pseudo("key", "rotate", "--help").out
    for name in connection.ConnectionOptions.__dataclass_fields__:
        assert "--" + name.replace("_", "-") in help_text
