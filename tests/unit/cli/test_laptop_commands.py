"""``pseudo init`` and ``pseudo token``: what a laptop needs, and production refuses."""

import jwt
import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.init import LAPTOP_CONFIG
from pseudo_service.config import Environment, load_config

PRODUCTION = """\
environment: production
state_directory: state
server: {tls: {certificate: c.pem, key: k.pem}}
key_vault:
  {type: azure, url: "https://v.vault.azure.net/", credential: workload_identity}
identity:
  certificates: [{name: "spiffe://x/loader", roles: [auditor]}]
audit: {archive_directory: checkpoints}
"""


def test_the_written_configuration_is_a_laptop_s(pseudo, tmp_path):
    done = pseudo("init", tmp_path / "new")
    assert done.code == ExitCode.OK
    config = load_config(tmp_path / "new" / "pseudo.yaml")
    assert config.environment is Environment.LAPTOP
    assert config.identity.local_issuer
    assert config.state_directory == tmp_path / "new" / "state"


def test_a_configuration_that_is_there_is_left_alone(pseudo, tmp_path):
    (tmp_path / "pseudo.yaml").write_text("mine")
    done = pseudo("init", tmp_path)
    assert done.code == ExitCode.USAGE
    assert "exists already" in done.err
    assert (tmp_path / "pseudo.yaml").read_text() == "mine"


def test_every_commented_section_can_be_uncommented():
    lines = LAPTOP_CONFIG.splitlines()
    examples = [line for line in lines if line.lstrip().startswith("# ")]
    assert any("azure" in line for line in examples)
    assert any("jwks_url" in line for line in examples)


def test_a_token_has_exactly_the_roles_asked_for(service, pseudo):
    done = pseudo(
        "token", "issue", "--role", "custodian", "--role", "pipeline:asthma",
        "--subject", "dana", "--lifetime", "5",
    )  # fmt: skip
    assert done.code == ExitCode.OK, done.err
    claims = jwt.decode(done.out.strip(), options={"verify_signature": False})
    assert claims["roles"] == ["custodian", "pipeline:asthma"]
    assert claims["sub"] == "dana"
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize(
    ("role", "subject"),
    [("emperor", "dana"), ("pipeline", "dana"), ("auditor", "dana@nhs.example")],
)
def test_an_impossible_token_is_refused(service, pseudo, role, subject):
    done = pseudo("token", "issue", "--role", role, "--subject", subject)
    assert done.code == ExitCode.USAGE
    assert done.out == ""


def test_without_a_local_issuer_no_token_is_made(service, pseudo, tmp_path):
    (tmp_path / "production.yaml").write_text(PRODUCTION)
    done = pseudo(
        "token", "issue", "--role", "auditor", "--subject", "dana",
        "--config", tmp_path / "production.yaml",
    )  # fmt: skip
    assert done.code == ExitCode.USAGE
    assert "no local issuer" in done.err


def test_serving_needs_a_configuration(pseudo, tmp_path):
    done = pseudo("serve", "--config", tmp_path / "absent.yaml")
    assert done.code == ExitCode.USAGE
    assert "pseudo init" in done.err
