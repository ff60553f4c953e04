"""What is installed holds every file that the code reads beside itself."""

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "setuptools"
]
PACKAGE_DATA: dict[str, list[str]] = SETTINGS["package-data"]
PACKAGES = ("pseudo_service", "nlp_redaction")
# setuptools takes the types along by itself.
TYPES = {".pyi", ".typed"}


def list_data_files() -> list[Path]:
    """Return the files of the packages that are no Python, by what git keeps."""
    done = subprocess.run(
        ["git", "ls-files", "--", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this is no checkout, so nobody knows which files belong to it")
    paths = [ROOT / line for line in done.stdout.splitlines()]
    return [path for path in paths if path.suffix not in {".py", *TYPES}]


def list_packaged() -> set[Path]:
    return {
        path
        for package, patterns in PACKAGE_DATA.items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
        if path.is_file()
    }


@pytest.mark.parametrize("package", PACKAGE_DATA)
def test_data_belongs_to_a_package(package: str) -> None:
    assert (ROOT / package.replace(".", "/") / "__init__.py").is_file()


def test_every_file_is_packaged() -> None:
    files = list_data_files()
    assert len(files) > 100
    assert sorted(set(files) - list_packaged()) == []


def test_every_pattern_matches_something() -> None:
    unmatched = [
        (package, pattern)
        for package, patterns in PACKAGE_DATA.items()
        for pattern in patterns
        if not any((ROOT / package.replace(".", "/")).glob(pattern))
    ]
    assert unmatched == []
