"""What a service needs before it can be loaded: a project, a policy, patients."""

from loadtests.servers import Target
from loadtests.tables import NOTES_POLICY, POLICY, PROJECT, make_nhs_numbers
from pseudo_client import DateShift, OptOuts

ROLE = f"pipeline:{PROJECT}"


def prepare_project(target: Target) -> None:
    """Make the project, with a quota that no load uses up, and its policy."""
    with target.connect("custodian") as custodian:
        custodian.administration.create_project(
            PROJECT,
            title="Load test",
            daily_quota=100_000_000,
            date_shift=DateShift(unit="weeks", bound=52, direction="past"),
            opt_outs=OptOuts(
                application="not_applicable",
                legal_basis="synthetic data",
                uncheckable="keep",
            ),
        )
        custodian.administration.register_policy(POLICY)


def prepare_notes(target: Target) -> None:
    """Make the policy of the notes."""
    with target.connect("custodian") as custodian:
        custodian.administration.register_policy(NOTES_POLICY)


def register_patients(target: Target, number: int) -> None:
    """Have so many patients known, the first of the test range."""
    with target.connect(ROLE) as pipeline:
        pipeline.pseudonymise(
            make_nhs_numbers(number).to_pylist(),
            kind="nhs_number",
            project=PROJECT,
            purpose="load test",
        )
