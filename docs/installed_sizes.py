"""Prints what each distribution of this environment weighs: ``python docs/installed_sizes.py``."""

import sys
from importlib.metadata import Distribution, distributions

MEGABYTE = 1_000_000


def weigh(distribution: Distribution) -> int:
    """Return the bytes of a distribution's files that are there."""
    paths = [distribution.locate_file(file) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.exists())  # type: ignore[attr-defined] # a Path, typed more loosely


def main() -> None:
    """Print the total, then the distributions of a megabyte and more, heaviest first."""
    sizes = {each.name: weigh(each) for each in distributions()}
    write = sys.stdout.write
    write(f"{sum(sizes.values()) / MEGABYTE:8.0f} MB in {len(sizes)} distributions\n")
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        if size >= MEGABYTE:
            write(f"{size / MEGABYTE:8.0f} MB {name}\n")


if __name__ == "__main__":
    main()
