"""``pseudo demo``: the whole service at work on this machine, in half a minute."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.output import count_of, say, say_field, show_table
from pseudo_service.cli.demo import report
from pseudo_service.cli.demo.linkage import show_linkage
from pseudo_service.cli.demo.notes import show_notes
from pseudo_service.cli.demo.policies import (
    SECOND_STUDY,
    STUDY,
    write_admissions_policy,
    write_patients_policy,
)
from pseudo_service.cli.demo.refusals import make_mistakes
from pseudo_service.cli.demo.runs import Released, look_up, release
from pseudo_service.cli.demo.service import DemoService, run_service
from pseudo_service.cli.demo.synthetic import (
    DEFAULT_ADMISSIONS,
    DEFAULT_PATIENTS,
    Extract,
    ExtractFiles,
    make_extract,
    write_extract,
)
from pseudo_service.cli.demo.verification import verify_everything
from pseudo_service.cli.reference_lists.opt_outs import cut_chunks
from pseudo_service.core.access.roles import Role
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
)

EXAMPLES = show_examples(
    "pseudo demo",
    "pseudo demo --output ~/pseudo-demo --keep",
    "pseudo demo --patients 100000 --admissions 1000000",
)

_STEPS = 9
_SHOWN = 4
_LOOKED_AT = 1_000
_QUOTA = 10_000_000
_OPT_OUTS_HOLD = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A project of the demo."""

    project: str
    title: str
    opt_outs: OptOutApplication
    legal_basis: str


STUDIES = (
    Study(
        project=STUDY,
        title="Asthma outcomes",
        opt_outs=OptOutApplication.APPLIED,
        legal_basis="section 251 support; the national data opt-out applies",
    ),
    Study(
        project=SECOND_STUDY,
        title="Heart failure cohort",
        opt_outs=OptOutApplication.NOT_APPLICABLE,
        legal_basis="every patient has consented; the opt-out does not apply",
    ),
)


def demo(
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A new folder; otherwise a temporary one."),
    ] = None,
    patients: Annotated[
        int, typer.Option(min=100, max=500_000, help="Patients to invent.")
    ] = DEFAULT_PATIENTS,
    admissions: Annotated[
        int, typer.Option(min=100, max=20_000_000, help="Admissions to invent.")
    ] = DEFAULT_ADMISSIONS,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Keep the service's keys and database too, to go on with."
        ),
    ] = False,
) -> None:
    """Show the service at work: invented data, two projects, and what is refused.

    A real server starts on this machine with TLS, its own key vault, tokens and
    database, and stops at the end. The folder with what was made is kept.
    """
    begun = time.monotonic()
    folder = prepare_folder(output)
    say_field("folder", str(folder))
    try:
        with run_service(folder, keep=keep) as service:
            sound = tell(service, folder, patients=patients, admissions=admissions)
    finally:
        seconds = time.monotonic() - begun
        say(f"\nEverything that was started has stopped, after {seconds:.0f} seconds.")
        say_where_things_lie(folder, keep=keep)
    if not sound:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


def prepare_folder(output: Path | None) -> Path:
    """Return the folder of this demo, which must be new or empty.

    Raises:
        Failure: It holds something.
    """
    if output is None:
        return Path(tempfile.mkdtemp(prefix="pseudo-demo-"))
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        msg = f"--output {output} holds something already; name a new folder"
        raise Failure(msg)
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    return output.resolve()


def tell(service: DemoService, folder: Path, *, patients: int, admissions: int) -> bool:
    """Run the demo, step by step; return whether all of it held."""
    _begin_step(1, f"A service runs at {service.address}, with TLS and its own keys.")
    create_projects(service)

    _begin_step(2, "Invent a hospital extract, as untidy as real ones.")
    extract = make_extract(patients=patients, admissions=admissions)
    files = write_extract(extract, folder / "extract")
    describe_extract(extract, files)
    load_opt_outs(service, extract)

    _begin_step(3, "Stream both tables through both projects.")
    released = release_tables(service, folder, files)
    report.show_runs(released)

    _begin_step(4, "What researchers get.")
    show_release(service, extract, released)

    last = released[-1]
    text = f"What the NHS numbers were like: {last.name} of {last.project}."
    _begin_step(5, text)
    report.show_quality(last, "nhs_number")

    _begin_step(
        6, "Free text: names, numbers and places are invented, dates are shifted."
    )
    show_notes(service, extract.patients)

    _begin_step(7, "Mistakes are refused.")
    refused = make_mistakes(service, extract, released)

    _begin_step(8, "Who are they? One person asks, two others must agree.")
    governed = show_linkage(service, extract, released[0])

    _begin_step(9, "Verify what was signed.")
    return verify_everything(service, released) and refused and governed


def create_projects(service: DemoService) -> None:
    """Make both projects and register their policies."""
    with service.connect(Role.CUSTODIAN) as client:
        for study in STUDIES:
            made = client.create_project(
                study.project,
                title=study.title,
                date_shift=DateShiftRule(),
                opt_outs=OptOutRule(
                    application=study.opt_outs, legal_basis=study.legal_basis
                ),
                daily_quota=_QUOTA,
            )
            for write in (write_patients_policy, write_admissions_policy):
                client.register_policy(write(study.project))
            say(f"Project {made.project}, tag {made.tag}: {study.legal_basis}.")


def describe_extract(extract: Extract, files: ExtractFiles) -> None:
    """Say what was invented."""
    rows = extract.patients.num_rows, extract.admissions.num_rows
    say(
        f"{files.patients.name} has {count_of(rows[0], 'patient')} and "
        f"{files.admissions.name} {count_of(rows[1], 'admission')}. NHS numbers are "
        "of the range that is never issued (999), written in a dozen ways, some "
        "wrong, some missing."
    )


def load_opt_outs(service: DemoService, extract: Extract) -> None:
    """Load the invented opt-out list."""
    numbers = extract.opt_outs["nhs_number"]
    with service.connect(Role.CUSTODIAN) as client:
        client.load_opt_outs(
            kind="opt_out",
            expires_at=SystemClock().now() + _OPT_OUTS_HOLD,
            entries=len(numbers),
            chunks=cut_chunks(numbers),
        )
    say(f"{count_of(len(numbers), 'patient')} opted out of research.")


def release_tables(
    service: DemoService, folder: Path, files: ExtractFiles
) -> list[Released]:
    """Run both tables through both projects."""
    return [
        release(service, project=study.project, file=file, folder=folder)
        for study in STUDIES
        for file in (files.patients, files.admissions)
    ]


def show_release(
    service: DemoService, extract: Extract, released: Sequence[Released]
) -> None:
    """Show the same patients before and after, and in both projects."""
    patients, admissions, second, _ = released
    before, after = extract.patients[:_LOOKED_AT], patients.read_table()
    numbers = [text for text in before["nhs_number"].to_pylist() if text]
    pseudonyms = look_up(service, patients.project, numbers)
    matched = report.match_patients(before, after, pseudonyms)
    chosen = report.choose_spellings(before, matched, _SHOWN)
    rows = [row for row, _ in chosen]
    report.show_patients(before.take(rows), after.take([place for _, place in chosen]))

    number = before["nhs_number"][rows[0]].as_py()
    other = look_up(service, second.project, [number])
    say(
        "The first of them has another pseudonym in each project. Without both keys "
        "nobody can tell that they are one patient."
    )
    show_table(
        ("project", "pseudonym"),
        [(patients.project, pseudonyms[number]), (second.project, other[number])],
    )

    pairs = [
        (before["mrn"][row].as_py(), after["patient"][place].as_py())
        for row, place in matched
    ]
    stays = report.find_stays(pairs, extract.admissions, admissions.read_table())
    if stays:
        say("\nOne patient's stays: other dates, the same weekdays and intervals.")
        report.show_stays(stays)


def say_where_things_lie(folder: Path, *, keep: bool) -> None:
    """Say what is in the folder, and how to go on."""
    say_field("folder", str(folder))
    for name, what in (
        ("extract", "the invented tables, identifiable"),
        ("released", "what researchers get: Parquet, quality.json, manifest.json"),
        ("service.log", "what the service said"),
        ("pseudo.yaml", "its configuration"),
    ):
        if (folder / name).exists():
            say_field(f"  {name}", what)
    if keep:
        say("The service's keys and database are kept. Go on, for example with:")
        say(f"  pseudo project list --config {folder / 'pseudo.yaml'}")
    else:
        say("The service's keys and database are destroyed; --keep keeps them.")


def _begin_step(number: int, text: str) -> None:
    say(f"\n{number} of {_STEPS}. {text}", style="bold")
