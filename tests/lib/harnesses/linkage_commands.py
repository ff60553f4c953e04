"""Linkage commands against the real servicer over TLS, with a desk in memory."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.cli.console.exit_codes import ExitCode
from tests.lib.services.fake_desk import PSEUDONYMS, RunningDesk, serve_desk

NUMBER = "9990000018"
Run = Callable[..., SimpleNamespace]
STATED = (
    "--purpose", "recall after an alert", "--legal-basis", "direct_care",
    "--consent", "letter of 3 March",
)  # fmt: skip


def half(keys: Path, which: str) -> Path:
    return keys.with_name(f"{keys.name}.{which}.pem")


def give_input(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool) -> None:
    given = io.StringIO(text)
    given.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", given)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    return LocalCertificates(tmp_path_factory.mktemp("certificates") / "tls")


@pytest.fixture
def running(certificates: LocalCertificates) -> Iterator[RunningDesk]:
    with serve_desk(certificates) as desk:
        yield desk


@pytest.fixture
def linkage(running: RunningDesk, pseudo: Run, tmp_path: Path) -> Run:
    """Run a linkage command against the running desk."""
    (tmp_path / "ca.pem").write_bytes(running.authority)
    (tmp_path / "token").write_text("good")

    def run(*arguments: object) -> SimpleNamespace:
        return pseudo(
            "linkage",
            *arguments,
            "--server",
            running.address,
            "--ca",
            tmp_path / "ca.pem",
            "--token-file",
            tmp_path / "token",
        )

    return run


@pytest.fixture
def keys(pseudo: Run, tmp_path: Path) -> Path:
    assert pseudo("linkage", "keygen", tmp_path / "officer").code == ExitCode.OK
    return tmp_path / "officer"


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    file = tmp_path / "cohort.txt"
    file.write_text("\n".join([*PSEUDONYMS, "", PSEUDONYMS[0]]))
    return file
