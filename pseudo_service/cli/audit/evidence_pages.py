"""The evidence pack as files: one HTML page without scripts, and a CSV file a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from jinja2 import Environment, PackageLoader, StrictUndefined

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.console.output import count_of
from pseudo_service.cli.console.spreadsheets import write_rows
from pseudo_service.core.audit.events import AuditVerdict
from pseudo_service.core.evidence.pack import Evidence
from pseudo_service.core.evidence.tables import EvidenceTable, format_moment

PAGE = "evidence.html"
LONGEST_WORD = 16
"""Codes and names up to this stay whole; ids may break where the paper ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the trail behind the pack was proved: sound, unsound or unverified."""

    state: str
    title: str
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, verdict: AuditVerdict) -> Self:
        """Return a verdict in words."""
        anchored = (
            f"Signed checkpoints outside the database anchor it until "
            f"{format_moment(verdict.anchored_until)} UTC; "
            f"{count_of(verdict.unanchored_events, 'later event')} not yet."
            if verdict.anchored_until
            else "No checkpoint lies outside the database yet, so nothing proves that "
            "its end was not cut off."
        )
        if verdict.findings:
            return cls(
                state="unsound",
                title="The audit trail is NOT sound.",
                sentences=(
                    (
                        f"{count_of(len(verdict.findings), 'fault')} found: rely on nothing "
                        "below before `pseudo audit verify` and the security officer have "
                        "explained them."
                    ),
                    anchored,
                ),
            )
        return cls(
            state="sound",
            title="The audit trail was verified and is sound.",
            sentences=(
                (
                    f"{count_of(verdict.events, 'event')} in "
                    f"{count_of(verdict.chains, 'chain')} were recomputed: none is missing, "
                    "changed, out of order or doubled."
                ),
                anchored,
            ),
        )

    @classmethod
    def unverified(cls, *sentences: str) -> Self:
        """Return that nothing was proved, and why."""
        return cls(
            state="unverified",
            title="The audit trail was not verified for this pack.",
            sentences=sentences,
        )


def write_pack(evidence: Evidence, verification: Verification, folder: Path) -> Path:
    """Write the pack into a new folder and return the page's path.

    Raises:
        Failure: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True)
        for table in evidence.tables:
            _write_csv(table, folder / f"{table.name}.csv")
        page = folder / PAGE
        page.write_text(render_page(evidence, verification), encoding="utf-8")
    except OSError:
        msg = f"{folder} cannot be written: check the folder and its space"
        raise Failure(msg) from None
    return page


def render_page(evidence: Evidence, verification: Verification) -> str:
    """Return the page; every value is escaped."""
    environment = Environment(
        loader=PackageLoader("pseudo_service.cli.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    last_day = evidence.period.until - timedelta(days=1)
    return environment.get_template(PAGE).render(
        evidence=evidence,
        verdict=verification,
        first_day=f"{evidence.period.since:%Y-%m-%d}",
        last_day=f"{last_day:%Y-%m-%d}",
        made_at=format_moment(evidence.made_at),
        longest_word=LONGEST_WORD,
        summary=_summarise(evidence),
        shares={table.name: _compare(table) for table in evidence.tables},
    )


def _summarise(evidence: Evidence) -> list[tuple[str, str]]:
    tables = {table.name: table for table in evidence.tables}
    emergencies = tables["break_glass"].rows
    waiting = sum("STILL AWAITED" in row for row in emergencies)
    return [
        ("Releases", str(len(tables["releases"].rows))),
        (
            "Break glass",
            f"{len(emergencies)}, of which {waiting} await their second review",
        ),
        ("Without an end", str(len(tables["open"].rows))),
        ("Refused or failed", str(_add_up(tables["refusals"], "times"))),
        ("Rows kept back", f"{_add_up(tables['opt_outs'], 'rows removed'):,}"),
    ]


def _read_numbers(table: EvidenceTable, header: str) -> list[int]:
    place = table.headers.index(header)
    return [int(row[place].replace(",", "")) for row in table.rows]


def _add_up(table: EvidenceTable, header: str) -> int:
    return sum(_read_numbers(table, header))


def _compare(table: EvidenceTable) -> Sequence[float]:
    """Return the lengths of the table's bars, in percent of the longest."""
    if table.chart is None or not table.rows:
        return ()
    numbers = _read_numbers(table, table.chart)
    return [round(100 * number / max(*numbers, 1), 1) for number in numbers]


def _write_csv(table: EvidenceTable, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write_rows(file, table.headers, table.rows)
