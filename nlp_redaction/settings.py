"""What a deployment may set: its own number forms, words and limits."""

import math
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nlp_redaction.errors import SettingsRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the search; every default suits a hospital in the United Kingdom.

    Attributes:
        hospital_number_patterns: Regular expressions of the site's own hospital
            numbers, found anywhere without a cue.
        hospital_number_cues: Further words that stand before a hospital number.
        extra_names: Words and phrases that are always names here, in any case.
        keep_words: Words and phrases that are never removed by absence or by the model,
            such as the names of systems and scales in use here. Behind a title, or as a
            known identifier, they are removed all the same.
        longest_text: The most characters of a text; longer ones are withheld.
        seconds_per_text: The longest that one text may take before it is withheld.
    """

    hospital_number_patterns: tuple[str, ...] = ()
    hospital_number_cues: tuple[str, ...] = ()
    extra_names: tuple[str, ...] = ()
    keep_words: tuple[str, ...] = ()
    longest_text: int = 200_000
    seconds_per_text: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what cannot be followed."""
        for number, pattern in enumerate(self.hospital_number_patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                message = (
                    f"hospital_number_patterns[{number}] is not a regular expression "
                    f"({error.msg} at position {error.pos})."
                )
                raise SettingsRefused(message) from error
        for name in (
            "hospital_number_patterns",
            "hospital_number_cues",
            "extra_names",
            "keep_words",
        ):
            if not all(entry.strip() for entry in getattr(self, name)):
                message = f"{name} holds an empty text; take it out."
                raise SettingsRefused(message)
        if (
            self.longest_text < 1
            or self.seconds_per_text <= 0
            or not math.isfinite(self.seconds_per_text)
        ):
            message = "longest_text and seconds_per_text must be positive numbers."
            raise SettingsRefused(message)

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Read a TOML file whose keys are the attributes.

        Raises:
            SettingsRefused: The file is missing, broken or has an unknown key.
        """
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            message = f"The settings file {path.name} cannot be read as TOML."
            raise SettingsRefused(message) from error
        return cls.from_mapping(content)

    @classmethod
    def from_mapping(cls, content: dict[str, Any]) -> "Settings":
        """Make settings of parsed TOML or YAML, checking keys and types.

        Raises:
            SettingsRefused: A key is unknown or a value has the wrong type.
        """
        known = {field.name for field in fields(cls)}
        for key in content:
            if key not in known:
                message = f"The setting {key} is unknown; known are {', '.join(sorted(known))}."
                raise SettingsRefused(message)
        return cls(**{key: _check_type(key, value) for key, value in content.items()})


def _check_type(key: str, value: object) -> Any:
    expected = type(getattr(Settings(), key))
    if expected is tuple:
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
    elif expected is float and type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]
    elif isinstance(value, expected) and not isinstance(value, bool):
        return value
    kind = {tuple: "a list of texts", int: "a whole number"}.get(expected, "a number")
    message = f"The setting {key} has the wrong type; it is {kind}."
    raise SettingsRefused(message)
