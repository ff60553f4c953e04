"""An invented hospital extract, as untidy as real ones, for demos and load tests.

Everything is made from a seed and from short lists; no person is described. NHS
numbers come from 999 000 0000 upwards, which are never issued, telephone numbers
from the ranges that Ofcom reserves for drama, and postcodes are put together from
letters and digits at random.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from pseudo_service.cli.demo import synthetic_columns as values
from pseudo_service.core.errors import InvalidArgument

DEFAULT_PATIENTS = 20_000
DEFAULT_ADMISSIONS = 200_000
DEFAULT_SEED = 20_260_101
_FIRST_STEM = 999_000_000
_STEMS = 1_000_000
_NHS_WEIGHTS = np.arange(10, 1, -1)
_DUMMY = 9_999_999_999
_FIRST_BIRTH = np.datetime64("1925-01-01")
_LAST_BIRTH = np.datetime64("2023-12-31")
_FIRST_ADMISSION = np.datetime64("2016-01-01T00:00", "ms")
_ADMISSION_MINUTES = 9 * 365 * 24 * 60
_OPTED_OUT_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Two untidy tables and an opt-out list.

    ``numbers`` are the patients' true NHS numbers, in the order of ``patients``,
    whatever the extract itself made of them.
    """

    patients: pa.Table
    admissions: pa.Table
    opt_outs: pa.Table
    numbers: pa.StringArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractFiles:
    """Where an extract was written."""

    patients: Path
    admissions: Path
    opt_outs: Path


def make_extract(
    *,
    patients: int = DEFAULT_PATIENTS,
    admissions: int = DEFAULT_ADMISSIONS,
    seed: int = DEFAULT_SEED,
) -> Extract:
    """Make an extract; the same arguments always make the same one.

    Raises:
        InvalidArgument: Fewer than ten patients or admissions, or more patients
            than the test range has numbers (about 900,000).
    """
    if min(patients, admissions) < 10:  # noqa: PLR2004 - fewer shows nothing
        msg = "synthetic extract: ask for at least 10 patients and 10 admissions"
        raise InvalidArgument(msg)
    rng = np.random.default_rng(seed)
    numbers = make_nhs_numbers(rng, patients)
    mrns = values.make_mrns(rng, patients)
    patient_table = _make_patients(rng, numbers, mrns)
    return Extract(
        patients=patient_table,
        admissions=_make_admissions(rng, numbers, mrns, admissions),
        opt_outs=_make_opt_outs(rng, numbers),
        numbers=pc.cast(pa.array(numbers), pa.string()),
    )


def write_extract(extract: Extract, folder: Path) -> ExtractFiles:
    """Write ``patients.csv``, ``admissions.parquet`` and ``opt-outs.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ExtractFiles(
        patients=folder / "patients.csv",
        admissions=folder / "admissions.parquet",
        opt_outs=folder / "opt-outs.csv",
    )
    # No value holds a comma, a quotation mark or a line end.
    plain = pyarrow.csv.WriteOptions(quoting_style="none")
    pyarrow.csv.write_csv(extract.patients, files.patients, plain)
    pq.write_table(extract.admissions, files.admissions)
    pyarrow.csv.write_csv(extract.opt_outs, files.opt_outs, plain)
    return files


def make_nhs_numbers(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Draw distinct NHS numbers of the 999 test range, check digits right.

    The check digit is modulus 11 with weights 10 to 2 (NHS Data Dictionary, NHS
    NUMBER). Returns an int64 array of ``count``.

    Raises:
        InvalidArgument: The range has fewer numbers than that.
    """
    stems = _FIRST_STEM + np.arange(_STEMS)
    digits = (stems[:, None] // 10 ** np.arange(8, -1, -1)) % 10
    checks = (11 - (digits @ _NHS_WEIGHTS) % 11) % 11
    issued = (stems * 10 + checks)[checks != 10]  # noqa: PLR2004 - never issued
    issued = issued[issued != _DUMMY]
    if count > len(issued):
        msg = f"patients: the test range has only {len(issued):,} NHS numbers"
        raise InvalidArgument(msg)
    return rng.choice(issued, count, replace=False, shuffle=True)


def _make_patients(
    rng: np.random.Generator, numbers: npt.NDArray[np.int64], mrns: pa.StringArray
) -> pa.Table:
    count = len(numbers)
    births = _FIRST_BIRTH + rng.integers(
        0, int((_LAST_BIRTH - _FIRST_BIRTH).astype(int)), count
    )
    sexes = rng.integers(0, 2, count)
    return pa.table(
        {
            "nhs_number": values.untidy_nhs_numbers(rng, numbers),
            "mrn": mrns,
            "forename": values.pick_forenames(rng, sexes),
            "surname": values.pick_surnames(rng, count),
            "sex": pc.take(pa.array(["F", "M"]), pa.array(sexes)),
            "date_of_birth": values.untidy_dates(rng, births),
            "address": values.make_addresses(rng, count),
            "town": values.pick_towns(rng, count),
            "postcode": values.make_postcodes(rng, count),
            "telephone": values.make_telephones(rng, count),
            "gp_practice": values.make_practice_codes(rng, count),
        }
    )


def _make_admissions(
    rng: np.random.Generator,
    numbers: npt.NDArray[np.int64],
    mrns: pa.StringArray,
    count: int,
) -> pa.Table:
    # Few patients have many admissions, as in life.
    weights = rng.gamma(0.8, size=len(numbers)) + 0.02
    patients = rng.choice(len(numbers), count, p=weights / weights.sum())
    admitted = _FIRST_ADMISSION + rng.integers(0, _ADMISSION_MINUTES, count).astype(
        "timedelta64[m]"
    )
    minutes = rng.gamma(1.1, 60 * 48, count).astype(np.int64) + 25
    return pa.table(
        {
            "nhs_number": values.untidy_nhs_numbers(rng, numbers[patients]),
            "mrn": pc.take(mrns, pa.array(patients)),
            "spell_id": values.make_spell_ids(count),
            "admitted": pa.array(admitted, pa.timestamp("ms")),
            "discharged": pa.array(
                admitted + minutes.astype("timedelta64[m]"), pa.timestamp("ms")
            ),
            "specialty_code": values.pick_specialties(rng, count),
            "diagnosis": values.pick_diagnoses(rng, count),
            "consultant_gmc": values.make_consultants(rng, count),
            "length_of_stay_hours": pa.array(np.round(minutes / 60, 2)),
        }
    )


def _make_opt_outs(
    rng: np.random.Generator, numbers: npt.NDArray[np.int64]
) -> pa.Table:
    count = max(1, int(len(numbers) * _OPTED_OUT_SHARE))
    chosen = np.sort(rng.choice(numbers, count, replace=False))
    return pa.table({"nhs_number": pc.cast(pa.array(chosen), pa.string())})
