"""The policies of the demo: what happens to each column of the invented extract."""

STUDY = "asthma-outcomes"
SECOND_STUDY = "heart-failure"

_PATIENTS = """\
policy: {project}/patients@1
description: One row a patient. Names, address, telephone and practice stay behind.
patient:
  column: nhs_number
  kind: nhs_number
  else:
    column: mrn
    kind: mrn@RXH
columns:
  nhs_number:
    treatment: pseudonymise
    kind: nhs_number
    rename: patient
  mrn:
    treatment: pseudonymise
    kind: mrn@RXH
    rename: hospital_number
  forename:
    treatment: drop
  surname:
    treatment: drop
  sex:
    treatment: keep
    reason: two values; needed to stratify
  date_of_birth:
    treatment: generalise
    to: age_band
    as_of: 2026-01-01
    formats: ["%Y-%m-%d", "%d/%m/%Y", "%d-%b-%Y"]
    rename: age_band
  address:
    treatment: drop
  town:
    treatment: drop
  postcode:
    treatment: generalise
    to: outward_code
    rename: outward_code
  telephone:
    treatment: drop
  gp_practice:
    treatment: drop
"""

_ADMISSIONS = """\
policy: {project}/admissions@1
description: One row a spell. Dates move by the patient's offset; intervals stay exact.
patient:
  column: nhs_number
  kind: nhs_number
  else:
    column: mrn
    kind: mrn@RXH
columns:
  nhs_number:
    treatment: pseudonymise
    kind: nhs_number
    rename: patient
  mrn:
    treatment: pseudonymise
    kind: mrn@RXH
    rename: hospital_number
  spell_id:
    treatment: drop
  admitted:
    treatment: shift_date
    time_of_day: keep
  discharged:
    treatment: shift_date
    time_of_day: keep
  specialty_code:
    treatment: keep
    reason: twelve values; needed to tell the wards apart
  diagnosis:
    treatment: exclude_rows
    codes: ["A54*", "F64*", "Z31*"]
    list: legally restricted codes (STI, gender recognition, HFEA)
    then: keep
    reason: the outcome under study
  consultant_gmc:
    treatment: drop
  length_of_stay_hours:
    treatment: keep
    reason: an interval, of no use to find a patient
"""


def write_patients_policy(project: str) -> str:
    """Return the policy for the patients of a project."""
    return _PATIENTS.format(project=project)


def write_admissions_policy(project: str) -> str:
    """Return the policy for the admissions of a project."""
    return _ADMISSIONS.format(project=project)
