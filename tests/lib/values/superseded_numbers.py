"""Superseded numbers for tests, made of plain pairs; None stands for a re-issued number."""

from collections.abc import Mapping

import numpy as np

from pseudo_service.core.identifiers.superseded import (
    ProjectSupersededNumbers,
    SupersededNumbers,
)


def make_table(entries: Mapping[str, str | None]) -> SupersededNumbers:
    superseded = np.array([int(number) for number in entries], np.int64)
    current = np.array([int(number or 0) for number in entries.values()], np.int64)
    return SupersededNumbers.build(superseded, current)


def make_superseded(
    entries: Mapping[str, str | None], *, follows: bool = True
) -> ProjectSupersededNumbers:
    return ProjectSupersededNumbers(table=make_table(entries), follows_merges=follows)
