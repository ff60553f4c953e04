"""The layout of the packages as a table: modules, import depth and circles a folder.

``python -m tests.architecture.layout`` prints it. The members of a folder are its
modules and its folders, each folder taken as one. Depth is the longest way down over
imports between members; a circle is a set of members that reach each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("pseudo_service", "nlp_redaction", "pseudo_client")
GENERATED = ("pseudo_service.api", "pseudo_client.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder; ``circle`` names members that reach each other, if any do."""

    package: str
    modules: int
    folders: int
    depth: int
    circle: tuple[str, ...] = ()


def read_layout() -> list[Folder]:
    """Return every folder of our packages but the generated ones, by name."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return [_read_folder(graph, package) for package in sorted(_list_packages(graph))]


def _list_packages(graph: grimp.ImportGraph) -> Iterator[str]:
    for module in graph.modules:
        if graph.find_children(module) and not module.startswith(GENERATED):
            yield module


def _read_folder(graph: grimp.ImportGraph, package: str) -> Folder:
    members = sorted(graph.find_children(package))
    folders = [member for member in members if graph.find_children(member)]
    uses = {member: _find_uses(graph, member, members) for member in members}
    circle: tuple[str, ...] = ()
    depth = 0
    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        circle = tuple(name.rpartition(".")[2] for name in error.args[1])
    else:
        depths: dict[str, int] = {}
        for member in order:
            below = [depths[used] for used in uses[member]]
            depths[member] = 1 + max(below, default=0)
        depth = max(depths.values(), default=0)
    return Folder(
        package=package,
        modules=len(members) - len(folders),
        folders=len(folders),
        depth=depth,
        circle=circle,
    )


def _find_uses(graph: grimp.ImportGraph, member: str, members: list[str]) -> set[str]:
    inside = {member, *graph.find_descendants(member)}
    imported = {
        used
        for module in inside
        for used in graph.find_modules_directly_imported_by(module)
    }
    return {
        other
        for other in members
        if other != member
        and any(used == other or used.startswith(f"{other}.") for used in imported)
    }


def main() -> None:
    """Print the table."""
    print(f"{'folder':44} {'modules':>7} {'folders':>7} {'depth':>5}  circle")
    for folder in read_layout():
        print(
            f"{folder.package:44} {folder.modules:7} {folder.folders:7} "
            f"{folder.depth:5}  {' > '.join(folder.circle) or 'none'}"
        )


if __name__ == "__main__":
    main()
