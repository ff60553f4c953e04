"""The habits that CONTRIBUTING.md and docs/release.md tell of are those that run."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RELEASE = (ROOT / "docs" / "release.md").read_text(encoding="utf-8")
JUSTFILE = (ROOT / "justfile").read_text(encoding="utf-8")
CHECK = (ROOT / ".ci" / "check").read_text(encoding="utf-8")
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SITE = ROOT / "docs" / "site"
RECIPE = re.compile(r"^([a-z][a-z-]*)(?: [*+]?[A-Z]+)*:.*\n((?: +.*\n)+)", re.MULTILINE)
PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)==\S+(?: ;[^\\]*)? \\\n((?: +--hash=\S+.*\n)+)", re.MULTILINE
)


def read_project(path: Path = ROOT / "pyproject.toml") -> dict[str, Any]:
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    return dict(settings["project"])


def read_recipes() -> dict[str, str]:
    return dict(RECIPE.findall(JUSTFILE))


def list_steps() -> list[str]:
    (found,) = re.findall(r"^all=\(([a-z ]+)\)$", CHECK, re.MULTILINE)
    return str(found).split()


def test_contributing_lists_every_recipe() -> None:
    told = re.findall(r"^\| `just ([a-z-]+)` \|", CONTRIBUTING, re.MULTILINE)
    assert told == list(read_recipes())
    assert {"list", "check", "fix", "test", "proto", "docs", "release"} <= set(told)


def test_ci_and_desk_run_the_same_steps() -> None:
    assert read_recipes()["check"].split()[0] == ".ci/check"
    assert re.search(r'^PATH="\$venv/bin:\$PATH" \.ci/check', RUN, re.MULTILINE)


def test_every_step_has_its_commands_and_the_other_way_round() -> None:
    written = re.findall(r"^check_([a-z]+)\(\)", CHECK, re.MULTILINE)
    assert written == list_steps()


def test_the_release_page_tells_of_every_step() -> None:
    section = RELEASE[
        RELEASE.index("## What is checked") : RELEASE.index("## Versions")
    ]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert re.findall(r"`([a-z]+)`", " ".join(cells)) == list_steps()


@pytest.mark.parametrize("recipe", ["docs", "proto", "lock", "release", "check"])
def test_what_a_recipe_calls_is_there_and_may_run(recipe: str) -> None:
    scripts = re.findall(r"(?:\.ci|proto|docs/site)/[a-z.]+", read_recipes()[recipe])
    assert scripts
    for script in scripts:
        assert (ROOT / script).is_file()
        assert script.endswith(".py") or (ROOT / script).stat().st_mode & 0o100


def test_every_distribution_has_the_version() -> None:
    found = [ROOT / "pyproject.toml", ROOT / "clients" / "python" / "pyproject.toml"]
    versions = {
        str(path.relative_to(ROOT)): read_project(path)["version"]
        for path in found
        if path.exists()
    }
    assert set(versions.values()) == {read_project()["version"]}


def test_the_newest_dated_section_of_the_changelog_is_the_version() -> None:
    sections = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.MULTILINE
    )
    assert sections[0] == read_project()["version"]
    assert sections == sorted(
        sections, key=lambda text: [int(part) for part in text.split(".")], reverse=True
    )


def test_security_supports_the_version() -> None:
    major, minor, _ = read_project()["version"].split(".")
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"| {major}.{minor} | yes |" in text


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_everything_that_ci_installs_with_hashes() -> None:
    pinned = {normalise(name): hashes for name, hashes in PINNED.findall(LOCK)}
    project = read_project()
    extras = project["optional-dependencies"]
    wanted = [
        requirement
        for group in (
            project["dependencies"],
            *(extras[e] for e in ("test", "dev", "docs")),
        )
        for requirement in group
    ]
    names = {normalise(re.split(r"[\[<>=~!; ]", each)[0]) for each in wanted}
    assert names <= set(pinned)
    assert all("--hash=sha256:" in hashes for hashes in pinned.values())
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", LOCK, re.MULTILINE))


def test_the_lock_names_no_place_and_nothing_that_only_training_needs() -> None:
    assert "://" not in LOCK
    assert "--index-url" not in LOCK
    assert not re.search(r"^(?:torch|transformers|onnx)==", LOCK, re.MULTILINE)


def test_what_ci_installs_is_the_lock_then_the_package_alone() -> None:
    assert "--require-hashes -r requirements.lock" in RUN
    assert "--no-deps" in RUN


def test_every_page_of_the_site_has_a_place_in_its_navigation() -> None:
    settings = yaml.safe_load((SITE / "mkdocs.yml").read_text(encoding="utf-8"))
    entries = [
        page
        for section in settings["nav"]
        for pages in section.values()
        for entry in ([{"": pages}] if isinstance(pages, str) else pages)
        for page in entry.values()
        if isinstance(page, str)
    ]
    docs = ROOT / "docs"
    written = {
        str(path.relative_to(docs))
        for path in docs.rglob("*.md")
        if SITE not in path.parents and path.parent.name != "adr"
    }
    assert written <= set(entries)
    assert len(entries) == len(set(entries))


def test_hooks_fetch_nothing() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    languages = {hook["language"] for hook in hooks["repos"][0]["hooks"]}
    assert languages == {"system"}
