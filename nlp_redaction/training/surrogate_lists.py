"""Compiles the lists that surrogates are chosen from; run once, its output is committed.

Sources, both under the MIT licence: mimesis (en-gb) and the person providers of Faker.
A forename stands in one list only; one given to both sexes stands in neither.
"""

import json
from collections.abc import Iterable
from importlib import import_module, resources
from pathlib import Path
from typing import Final

_LOCALES: Final = ("en_GB", "en_IE", "en_IN", "en_NG", "en_KE")
_MORE_SURNAMES: Final = ("en_GB", "en_IN", "en_NG", "en_PK")
_RARE_SURNAMES: Final = ("xanthos", "xavier", "xenakis", "xiang", "xiao", "xing")
_LENGTHS: Final = range(3, 13)


def _read_faker(attribute: str, locales: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for locale in locales:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        found |= set(getattr(provider, attribute, ()))
    return found


def _tidy(names: Iterable[str]) -> set[str]:
    lowered = {name.strip().lower() for name in names}
    return {n for n in lowered if n.isascii() and n.isalpha() and len(n) in _LENGTHS}


def _write(folder: Path, name: str, entries: set[str], what: str) -> None:
    text = "\n".join([f"# {what} Sources: mimesis, Faker (MIT).", *sorted(entries)])
    (folder / f"{name}.txt").write_text(text + "\n", "utf-8")


def compile_lists(folder: Path) -> None:
    """Write the three lists into a folder."""
    path = resources.files("mimesis") / "datasets" / "en-gb" / "person.json"
    mimesis = json.loads(path.read_text("utf-8"))
    female = _tidy(mimesis["names"]["female"])
    female |= _tidy(_read_faker("first_names_female", _LOCALES))
    male = _tidy(mimesis["names"]["male"])
    male |= _tidy(_read_faker("first_names_male", _LOCALES))
    surnames = _tidy(mimesis["surnames"])
    surnames |= _tidy(_read_faker("last_names", _MORE_SURNAMES) | set(_RARE_SURNAMES))
    _write(folder, "female_forenames", female - male, "Forenames of women.")
    _write(folder, "male_forenames", male - female, "Forenames of men.")
    _write(folder, "surrogate_surnames", surnames, "Surnames to choose from.")


if __name__ == "__main__":
    compile_lists(Path(str(resources.files("nlp_redaction.lexicons"))) / "data")
