import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.inputs.csv_reader import CsvForm
from pseudo_service.cli.inputs.files import find_inputs
from pseudo_service.cli.inputs.readers import open_inputs
from pseudo_service.cli.run.row_ranges import RowRangeReader

CANARY = "9990000018"


def read(
    tmp_path: Path, *contents: bytes, name: str = "a.csv", **form: str
) -> pa.Table:
    for index, content in enumerate(contents):
        (tmp_path / f"{index}{name}").write_bytes(content)
    files = find_inputs([str(tmp_path)])
    opened = open_inputs(files, CsvForm(**form), tmp_path)
    return pa.concat_tables(
        [pa.Table.from_batches(each.batches(), schema=each.schema) for each in opened]
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n001,2\n", {"a": ["001"], "b": ["2"]}),
        (b"a,b\r\n001,2\r\n", {"a": ["001"], "b": ["2"]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        (b'\xef\xbb\xbf"a",b\n1,2\n', {"a": ["1"], "b": ["2"]}),
        (b'a,b\n"x\ny","say ""hi"""\n', {"a": ["x\ny"], "b": ['say "hi"']}),
        (b'a,b\n,""\n', {"a": [None], "b": [None]}),
        (b"a,b\nNA,NULL\n", {"a": ["NA"], "b": ["NULL"]}),
        (b"a,b\n2021-01-01,TRUE\n", {"a": ["2021-01-01"], "b": ["TRUE"]}),
        (b"a,b\n", {"a": [], "b": []}),
        (b"a,b", {"a": [], "b": []}),
        (b"a,b\n\n1,2\n\n", {"a": ["1"], "b": ["2"]}),
        (b"a\n1\n\n2\n", {"a": ["1", None, "2"]}),
        ("a,b\né,ß\n".encode(), {"a": ["é"], "b": ["ß"]}),
    ],
)
def test_csv_is_text_as_it_stands(
    tmp_path: Path, content: bytes, expected: dict[str, list[str]]
) -> None:
    table = read(tmp_path, content)
    assert table.to_pydict() == expected
    assert set(table.schema.types) == {pa.string()}


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\nZoë,£\n".encode("cp1252"), encoding="cp1252")
    assert table.to_pydict() == {"a": ["Zoë"], "b": ["£"]}


def test_another_delimiter_is_read_when_it_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, b"a|b\n1|2\n", delimiter="|").to_pydict()["b"] == ["2"]


def test_tabs_are_known_by_the_name(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\tb\n1\t2\n", name="a.tsv").to_pydict()["b"] == ["2"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (f"a,b\n1,2\n{CANARY},2,3\n".encode(), "line 3: 3 fields"),
        (f'a,b\n"x\ny",2\n{CANARY}\n'.encode(), "line 4: 1 fields"),
        (f"a,b\n1,2\n{CANARY},".encode() + b"\xe9\n", "line 3: not utf-8"),
        (f'a,b\n1,2\n1,"{CANARY}\n'.encode(), "line 3"),
        (b'a,b\n1,"x\n2,"y\n', "line 2 or below"),
        (b'a,b\n1,"x"y\n2,"3\n4"\n', "line 2 or below"),
        (b"a,\xe9\n1,2\n", "header cannot be read"),
        (b"a,\n1,2\n", "column 2 has no name"),
        (b"a, \n1,2\n", "column 2 has no name"),
        (b"a,a\n1,2\n", 'column "a" is there twice'),
        (f"{CANARY},{CANARY}\n1,2\n".encode(), "name withheld"),
    ],
)
def test_what_is_not_well_formed_is_named_by_its_line(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(Failure) as failure:
        read(tmp_path, content)
    assert says in failure.value.message
    assert CANARY not in failure.value.message
    assert "input 1" in failure.value.message


def test_bytes_that_the_named_encoding_lacks_are_named_by_line(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="line 2: not cp1252"):
        read(tmp_path, b"a\n\x81\n", encoding="cp1252")


def test_a_late_fault_in_a_long_file_is_found(tmp_path: Path) -> None:
    lines = b"a,b\n" + b"1,2\n" * 100_000 + b"1\n"
    with pytest.raises(Failure, match="line 100002: 1 fields"):
        read(tmp_path, lines)


@pytest.mark.parametrize("cut", [False, True])
def test_gzip_is_read_on_the_way(tmp_path: Path, cut: bool) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    content = packed[: len(packed) // 2] if cut else packed
    if not cut:
        assert read(tmp_path, content, name="a.csv.gz").num_rows == 5000
        return
    with pytest.raises(Failure, match="input 1"):
        read(tmp_path, content, name="a.csv.gz")


def make_binary(kind: str) -> bytes:
    table = pa.table({"a": ["1", None], "n": pa.array([1, 2], pa.int32())})
    file = io.BytesIO()
    if "parquet" in kind:
        pq.write_table(table, file)
    elif "stream" in kind:
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return gzip.compress(file.getvalue()) if kind.endswith("gz") else file.getvalue()


BINARY = [
    ("parquet", "x.parquet"),
    ("parquet gz", "x.parquet.gz"),
    ("arrow file", "x.arrow"),
    ("arrow file gz", "x.feather.gz"),
    ("arrow stream", "x.arrows"),
    ("arrow stream gz", "x.arrows.gz"),
]


@pytest.mark.parametrize(("kind", "name"), BINARY)
def test_binary_tables_keep_their_types(tmp_path: Path, kind: str, name: str) -> None:
    table = read(tmp_path, make_binary(kind), name=name)
    assert table.to_pydict() == {"a": ["1", None], "n": [1, 2]}
    assert table.schema.field("n").type == pa.int32()
    assert [path.name for path in tmp_path.iterdir()] == [f"0{name}"]


@pytest.mark.parametrize(("kind", "name"), BINARY)
def test_damaged_binary_tables_are_refused(
    tmp_path: Path, kind: str, name: str
) -> None:
    content = make_binary(kind)
    with pytest.raises(Failure, match="damaged, cut off or misnamed"):
        read(tmp_path, content[: len(content) * 2 // 3], name=name)


def test_nested_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [[1]]}), tmp_path / "x.parquet")
    with pytest.raises(Failure, match='column "a" is nested'):
        open_inputs(find_inputs([str(tmp_path)]), CsvForm(), tmp_path)


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (b"a,c\n", 'column 2 is another than "b"'),
        (b"b,a\n", 'column 1 is another than "a"'),
        (b"a\n", "1 columns where"),
        (b"a,b,c\n", "3 columns where"),
    ],
)
def test_inputs_of_one_run_are_one_table(
    tmp_path: Path, second: bytes, says: str
) -> None:
    with pytest.raises(Failure) as failure:
        read(tmp_path, b"a,b\n", second)
    assert says in failure.value.message
    assert failure.value.message.startswith("input 2")


def test_a_folder_is_read_in_name_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "_SUCCESS", ".a.csv.crc"):
        (tmp_path / name).write_text("a\n")
    names = [file.path.name for file in find_inputs([str(tmp_path)])]
    assert names == ["a.csv", "b.csv"]
    by_glob = find_inputs([f"{tmp_path}/*.csv"])
    assert [file.path.name for file in by_glob] == names


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        (["nothing.csv"], "no file there"),
        (["*.parquet"], "no file there"),
        (["a.csv", "*.csv"], "twice"),
        (["."], "no known kind"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patterns: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a\n")
    (tmp_path / "notes.docx").write_text("a\n")
    with pytest.raises(Failure, match=says):
        find_inputs(patterns)


@pytest.mark.parametrize("name", [f"{CANARY}.csv", "Jane Smith.csv", "O'Neil.csv"])
def test_a_file_named_after_a_patient_is_not_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(Failure) as failure:
        open_inputs(find_inputs([str(tmp_path)]), CsvForm(), tmp_path)
    assert name not in failure.value.message
    assert "input 1 (name withheld" in failure.value.message


class Counted:
    """Ten rows in batches of three, counting how often it is begun."""

    schema = pa.schema({"n": pa.int64()})

    def __init__(self) -> None:
        self.begun = 0

    def batches(self) -> object:
        self.begun += 1
        return iter(pa.table({"n": range(10)}).to_batches(max_chunksize=3))


def rows(reader: RowRangeReader, start: int, count: int) -> list[int]:
    return [n for batch in reader.read(start, count) for n in batch["n"].to_pylist()]


def test_ranges_in_order_read_a_source_once() -> None:
    source = Counted()
    reader = RowRangeReader(source)  # type: ignore[arg-type]
    assert [rows(reader, start, 4) for start in (0, 4, 8)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert not reader.has_row(12)
    assert source.begun == 1


def test_going_back_begins_again() -> None:
    source = Counted()
    reader = RowRangeReader(source)  # type: ignore[arg-type]
    assert reader.has_row(9)
    assert not reader.has_row(10)
    assert rows(reader, 2, 3) == [2, 3, 4]
    assert rows(reader, 2, 3) == [2, 3, 4]
    assert source.begun == 3
