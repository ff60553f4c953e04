"""Files of NHS numbers, CSV or Parquet, read as text."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from pseudo_service.cli.console.exit_codes import Failure, withhold_numbers

_DIGITS = re.compile(r"\d{3}")


def read_number_file(file: Path) -> tuple[pa.Table, bool]:
    """Return a file's table, and whether it names its columns.

    Raises:
        Failure: The file cannot be read.
    """
    try:
        if file.suffix.lower() in {".parquet", ".pq"}:
            return pq.read_table(file), True
        with pyarrow.csv.open_csv(file) as reader:
            header = list(reader.schema.names)
        return _read_csv(file, header)
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        name = withhold_numbers(str(file))
        msg = f"{name}: not a readable CSV or Parquet file; check the path and format"
        raise Failure(msg) from None


def read_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text without white space around it; blank where null."""
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return pc.fill_null(texts, "")


def _read_csv(file: Path, header: list[str]) -> tuple[pa.Table, bool]:
    # What MESH returns has no header line and a comma after each number. Taken for
    # a header, its first number would be lost, and that patient released.
    is_headed = not _DIGITS.search(header[0])
    names = header if is_headed else [f"column {n + 1}" for n in range(len(header))]
    table = pyarrow.csv.read_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows=int(is_headed)
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            # As text from the start: as numbers they would lose leading zeros.
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
        ),
    )
    return table, is_headed
