"""Write the API pages from the folders as they lie, so that none is named by hand."""

from pathlib import Path

GENERATED = "api"  # code that is generated from proto/ has a page of its own


def write_api_pages(package: Path, name: str) -> dict[str, str]:
    """Return a page for each folder of a package, with the modules that lie in it.

    Args:
        package: The package's folder.
        name: Its dotted name; the pages are named after their folders.

    Returns:
        The text of each page by its path below ``reference/api/``.
    """
    pages = {}
    for folder in [
        package,
        *sorted(each for each in package.rglob("*") if each.is_dir()),
    ]:
        modules = sorted(
            each.stem for each in folder.glob("*.py") if not each.stem.startswith("__")
        )
        if not modules or GENERATED in folder.relative_to(package).parts:
            continue
        dotted = ".".join([name, *folder.relative_to(package).parts])
        lines = [f"# `{dotted}`", ""]
        if (folder / "__init__.py").exists():
            lines += [
                f"::: {dotted}",
                "    options: {members: false, show_root_heading: false}",
                "",
            ]
        for each in modules:
            lines += [f"::: {dotted}.{each}", ""]
        pages[f"{dotted.replace('.', '/')}.md"] = "\n".join(lines)
    return pages
