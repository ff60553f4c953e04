"""``pseudo init``: a commented configuration for a laptop."""

from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.output import say, say_field

EXAMPLES = show_examples(
    "pseudo init", "pseudo init ~/pseudo && cd ~/pseudo && pseudo serve"
)
CONFIG_NAME = "pseudo.yaml"

LAPTOP_CONFIG = """\
# pseudo: a configuration for a laptop. Relative paths are relative to this file.
# A production configuration refuses the lines marked (laptop).

environment: laptop            # (laptop) or production
instance: pseudo               # names this service in certificates and logs
state_directory: state         # keys, database and checkpoints, unless said below

server:
  address: 127.0.0.1:8443      # TLS always; a laptop makes its own certificate
  workers: 1                   # processes; `pseudo serve --workers N` overrides
  # mtls_address: 127.0.0.1:8444          # for pipelines with a certificate
  # tls:
  #   certificate: server.pem
  #   key: server.key
  #   client_authorities: pipelines-ca.pem

key_vault:
  type: local                  # (laptop) RSA keys in files that only you can read
  # passphrase_file: passphrase.txt
  # In production:
  #   type: azure
  #   url: https://NAME.vault.azure.net/
  #   credential: workload_identity   # or managed_identity, client_certificate
  #   tenant_id: TENANT
  #   client_id: CLIENT
  #   identity_file: /var/run/secrets/azure/tokens/azure-identity-token

# database:                    # SQLite in the state directory, unless you say
#   url: postgresql+psycopg://pseudo@db.example/pseudo

identity:
  local_issuer: true           # (laptop) `pseudo token issue` makes access tokens
  # profiles:                  # in production: your Entra ID tenant
  #   - name: entra
  #     issuer: https://login.microsoftonline.com/TENANT/v2.0
  #     audiences: [api://pseudo]
  #     jwks_url: https://login.microsoftonline.com/TENANT/discovery/v2.0/keys
  #     tenant: TENANT
  #     version: "2.0"

text:
  modes: []                    # free text is withheld; [thorough, fast] redacts it
  # processes: 1               # that search texts, for each worker; 140 MB each
  # settings_file: text.toml   # your own number forms, names and words

identifiers:
  accept_test_range: true      # (laptop) NHS numbers that begin with 999
  accept_chi_in_nhs_column: false

dates:                         # "unknown" in disguise; shifted, they would tell
  sentinels: [1800-01-01, 1899-12-30, 1899-12-31, 1900-01-01, 9999-12-31]

audit:
  checkpoint_seconds: 300
  # archive_directory: /append-only/checkpoints

telemetry:
  log_format: console          # or json
"""


def initialise(
    directory: Annotated[
        Path, typer.Argument(help="Where to write pseudo.yaml; made if missing.")
    ] = Path(),
) -> None:
    """Write a commented laptop configuration."""
    path = directory / CONFIG_NAME
    write_laptop_config(path)
    say_field("wrote", str(path))
    say(
        f"Next: `pseudo project create --help`, or `pseudo serve`, each with "
        f"--config {path} or in its folder."
    )


def write_laptop_config(path: Path, text: str = LAPTOP_CONFIG) -> None:
    """Write the configuration, never over one that is there.

    Raises:
        Failure: There is a file already, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        msg = f"{path} exists already: name another folder, or take it away first"
        raise Failure(msg) from None
    except OSError:
        msg = f"{path} cannot be written: check the folder and its rights"
        raise Failure(msg) from None
