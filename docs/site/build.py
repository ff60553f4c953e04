"""Assemble the documents of the repository into a site, and build it strictly.

The documents stay where a reader of the repository looks for them. This script
copies them into one folder, leads their links there, adds the reference pages that
are read from the code, and calls the site generator, which refuses a dead link.

    python docs/site/build.py --output build/site
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from contract import write_contract
from modules import write_api_pages
from pages import lead_links, write_states_as_table
from reference import write_command_line, write_configuration, write_errors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCS = ROOT / "docs"
# Documents outside docs/, and the page that each becomes.
BROUGHT_IN = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "GLOSSARY.md": "glossary.md",
    "SECURITY.md": "security.md",
    "clients/python/README.md": "how-to/use-the-client.md",
    "deploy/README.md": "deploy/README.md",
    "loadtests/README.md": "how-to/measure.md",
    "nlp_redaction/lexicons/README.md": "reference/word-lists.md",
}
API = {
    "pseudo_client": ROOT / "clients" / "python" / "pseudo_client",
    "pseudo_service.core": ROOT / "pseudo_service" / "core",
    "pseudo_service.ports": ROOT / "pseudo_service" / "ports",
    "nlp_redaction": ROOT / "nlp_redaction",
}


def find_documents() -> dict[Path, str]:
    """Return every document of the site and its path there."""
    found = {(ROOT / name).resolve(): page for name, page in BROUGHT_IN.items()}
    for path in sorted(DOCS.rglob("*.md")):
        if HERE not in path.parents and path != DOCS / "index.md":
            found[path.resolve()] = str(path.relative_to(DOCS))
    return found


def assemble(target: Path) -> None:
    """Write the sources of the site into a folder: documents, pictures, reference."""
    pages = find_documents()
    sources = {**pages, (DOCS / "index.md").resolve(): "index.md"}
    del sources[(ROOT / "README.md").resolve()]
    for source, page in sources.items():
        text = write_states_as_table(source.read_text(encoding="utf-8"))
        _write(target / page, lead_links(text, source, page, pages))
    shutil.copytree(DOCS / "pictures", target / "pictures")
    shutil.copy(HERE / "style.css", target / "style.css")
    _write(target / "reference" / "command-line.md", write_command_line())
    _write(target / "reference" / "configuration.md", write_configuration())
    _write(target / "reference" / "errors.md", write_errors())
    _write(target / "reference" / "wire-contract.md", write_contract(ROOT / "proto"))
    for name, folder in API.items():
        for page, text in write_api_pages(folder, name).items():
            _write(target / "reference" / "api" / page, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def list_api_pages(target: Path) -> list[dict[str, list[dict[str, str]]]]:
    """Return the part of the navigation that leads to the API pages."""
    api = target / "reference" / "api"
    entries = []
    for name in API:
        whole = f"{name.replace('.', '/')}.md"
        below = sorted((api / whole).with_suffix("").rglob("*.md"))
        found = [api / whole, *below] if (api / whole).exists() else below
        entries.append(
            {name: [{_name(each, api, name): _page(each, target)} for each in found]}
        )
    return entries


def _page(path: Path, target: Path) -> str:
    return str(path.relative_to(target))


def _name(path: Path, api: Path, package: str) -> str:
    dotted = ".".join(path.relative_to(api).with_suffix("").parts)
    return dotted.removeprefix(f"{package}.")


def list_decisions() -> Iterator[dict[str, str]]:
    """Yield the navigation's entry of each decision record."""
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        yield {title: f"adr/{path.name}"}


def configure(target: Path) -> Path:
    """Write the generator's configuration beside the sources; return its path."""
    settings = yaml.safe_load((HERE / "mkdocs.yml").read_text(encoding="utf-8"))
    for section in settings["nav"]:
        for entries in section.values():
            if isinstance(entries, list):
                _fill(entries, "API", list_api_pages(target))
                _fill(
                    entries,
                    "Decisions",
                    [{"Index": "adr/README.md"}, *list_decisions()],
                )
    handler = settings["plugins"][1]["mkdocstrings"]["handlers"]["python"]
    handler["paths"] = [str(ROOT), str(ROOT / "clients" / "python")]
    settings["docs_dir"] = target.name
    path = target.parent / "mkdocs.yml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


def _fill(entries: list[dict[str, object]], name: str, found: list) -> None:
    for entry in entries:
        if name in entry:
            entry[name] = found


def main() -> int:
    """Build the site; return the generator's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    output = parser.parse_args().output.resolve()
    work = output.parent / f"{output.name}-sources"
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(output, ignore_errors=True)
    target = work / "docs"
    assemble(target)
    settings = configure(target)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    built = subprocess.run(
        [*command, "--config-file", settings.name], cwd=work, check=False
    )
    if built.returncode == 0:
        shutil.move(work / "site", output)  # the generator writes beside its sources
    return built.returncode


if __name__ == "__main__":
    sys.exit(main())
