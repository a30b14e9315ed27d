"""The same rows in every form of file that people have, compared with what pandas reads and writes."""

import gzip
import io
import json
import os
import zipfile

import pytest

from bertkit.data.readers import read_examples
from bertkit.data.records import table
from bertkit.errors import Error

ROWS = [('It says ""stop"", then\ngoes\ton', "help"), ("plain; and, so", "other"), ('a "b" c', "help"), ("", "1")]
NAMES = ("text", "label")


def frame(rows=ROWS, names=NAMES):
    return pytest.importorskip("pandas").DataFrame(rows, columns=list(names))


def read(path):
    examples = read_examples(path)
    return list(zip(examples.first, examples.labels, strict=True)), examples.source


@pytest.mark.parametrize("name, form, options", [
    ("f.csv", "CSV", {}), ("f.csv", "CSV with ';' between the cells", {"sep": ";"}),
    ("f.csv", "TSV, quoted", {"sep": "\t"}), ("f.tsv", "TSV, quoted", {"sep": "\t"}),
    ("f.tsv", "TSV, quoted", {"sep": "\t", "quoting": 1}), ("f.csv.gz", "CSV", {}), ("f.csv.zip", "CSV", {}),
    ("f.tsv.zst", "TSV, quoted", {"sep": "\t"}), ("f.csv", "CSV with '|' between the cells", {"sep": "|"})])
def test_what_pandas_writes_as_text(tmp_path, name, form, options):
    frame().to_csv(tmp_path / name, index=False, **options)
    rows, source = read(tmp_path / name)
    assert rows == ROWS and source.form == form and source.unused == ()


@pytest.mark.parametrize("name, options", [
    ("f.jsonl", {"orient": "records", "lines": True}), ("f.json", {"orient": "records"}),
    ("f.json", {"orient": "records", "lines": True}), ("f.json", {}),
    ("f.json.gz", {"orient": "records", "indent": 1})])
def test_what_pandas_writes_as_json(tmp_path, name, options):
    frame().to_json(tmp_path / name, **options)
    assert read(tmp_path / name)[0] == ROWS


def test_rows_under_a_name_and_the_lines_of_an_array(written):
    rows = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    assert read(written("f.json", json.dumps({"version": 1, "data": rows})))[0] == ROWS
    path = written("f.json", '[\n {"text": "a",\n  "label": 1},\n\n {"text": 7, "label": 1}]')
    with pytest.raises(Error, match="line 5, column 'text': a number came"):
        read_examples(path)


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (NAMES, ("a film", 1), ("so", True), (None, None), ("a =1", 2.5)):
        book.active.append(row)
    book.save(tmp_path / "f.xlsx")
    rows, source = read(tmp_path / "f.xlsx")
    assert (rows, source.form) == ([("a film", "1"), ("so", "true"), ("a =1", "2.5")], "Excel")
    book.create_sheet("more").append(["x"])
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(Error, match="rows in 2 sheets \\('Sheet', 'more'\\); keep one"):
        read_examples(tmp_path / "f.xlsx")
    (tmp_path / "f.xlsx").write_bytes(b"PK no book")
    with pytest.raises(Error, match="cannot be read as .xlsx"):
        read_examples(tmp_path / "f.xlsx")


def hugging_face(pyarrow):
    """A table as `datasets` writes it: the classes are numbers, their names stand in the metadata."""
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    made = pyarrow.table({"text": ["a", "b", "c"], "label": [1, 0, -1]})
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def test_parquet_and_arrow_keep_the_names_of_classes(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet
    parquet.write_table(hugging_face(pyarrow), tmp_path / "f.parquet")
    split = tmp_path / "data" / "train"
    split.mkdir(parents=True)
    with pyarrow.ipc.new_stream(split / "data-0.arrow", hugging_face(pyarrow).schema) as sink:
        sink.write_table(hugging_face(pyarrow))
    (split / "state.json").write_text('{"_data_files": [{"filename": "data-0.arrow"}]}')
    (tmp_path / "data" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    for path in (tmp_path / "f.parquet", split):
        with pytest.raises(Error, match="line 3, column 'label': null came where a label was wanted"):
            read_examples(path)
        examples = read_examples(path, skip_bad_rows=True)
        assert (examples.first, examples.labels, len(examples.skipped)) == (["a", "b"], ["yes", "no"], 1)
    with pytest.raises(Error, match="holds several splits .train.; give the folder of one"):
        read_examples(tmp_path / "data")
    (tmp_path / "f.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(Error, match="cannot be read as .parquet"):
        read_examples(tmp_path / "f.parquet")


def test_a_text_in_quotes_keeps_them_in_a_plain_tsv(written):
    content = 'sentence\tlabel\n"A great film"\t1\n"so" he said\t0\n"\t1\n'
    rows, source = read(written("f.tsv", content))
    assert [text for text, _ in rows] == ['"A great film"', '"so" he said', '"'] and source.form == "TSV"
    assert read(written("f.tsv", 'sentence\tlabel\n"A great film"\t1\nso\t0\n'))[0][0] == ('"A great film"', "1")


def test_the_line_of_excel_that_names_the_delimiter(written):
    assert read(written("f.csv", 'sep=;\ntext;label\n"a;b";1\nc;0\n'))[0] == [("a;b", "1"), ("c", "0")]


def test_packed_files_that_cannot_be_unpacked(tmp_path):
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"text,label\na,1\n" * 1000)[:-30])
    with pytest.raises(Error, match="cannot be unpacked"):
        read_examples(tmp_path / "f.csv.gz")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", "text,label\na,1\n")
        archive.writestr("__MACOSX/._a.csv", "x")
    (tmp_path / "f.zip").write_bytes(stream.getvalue())
    assert read(tmp_path / "f.zip")[0] == [("a", "1")]
    with zipfile.ZipFile(tmp_path / "f.zip", "a") as archive:
        archive.writestr("b.csv", "text,label\n")
    with pytest.raises(Error, match="holds 2 files .a.csv, b.csv.; wanted one"):
        read_examples(tmp_path / "f.zip")


def test_bytes_of_windows_are_named_and_nobody_is_advised_to_drop_them(written):
    path = written("f.csv", "text,label\nI don\u2019t,no\nfine,yes\n".encode("cp1252"))
    with pytest.raises(Error, match="line 2.*0x92.*WINDOWS-1252") as told:
        read_examples(path)
    tsv = written("f.tsv", "text\tlabel\nI don\u2019t\tno\nfine\tyes\n".encode("cp1252"))
    with pytest.raises(Error, match="WINDOWS-1252") as also:
        read_examples(tsv)
    assert "skip-bad-rows" not in str(told.value) + str(also.value)
    with pytest.raises(Error, match="not Windows-1252 either"):
        read_examples(written("f.tsv", b"text\tlabel\n\x81\tno\n"))


def test_rows_are_only_to_be_left_out_where_they_are_few(written):
    many = "".join(f"a\t{i}\tx\n" for i in range(5)) + "b\t1\n" * 5
    with pytest.raises(Error, match="5 of 10 rows cannot be used") as told:
        read_examples(written("f.tsv", "text\tlabel\n" + many))
    assert "skip-bad-rows" not in str(told.value)
    with pytest.raises(Error, match="or leave such rows out with --skip-bad-rows"):
        read_examples(written("f.tsv", "text\tlabel\na\tb\t1\n" + "b\t1\n" * 5))


def test_the_header_in_the_middle_is_no_row(written):
    path = written("f.csv", "text,label\na,1\ntext,label\nb,0\n")
    with pytest.raises(Error, match="line 3, the header comes again"):
        read_examples(path)
    assert read_examples(path, skip_bad_rows=True).labels == ["1", "0"]


@pytest.mark.parametrize("column, values", [("answer", ("accept", "reject", "ignore")),
                                            ("status", ("submitted", "discarded", "discarded")),
                                            ("was_cancelled", (False, True, True))])
def test_what_an_annotator_rejected_is_left_out(written, column, values):
    path = written("f.jsonl", "".join(json.dumps({"text": str(i), "label": "A", column: value}) + "\n"
                                      for i, value in enumerate(values)))
    examples = read_examples(path)
    assert examples.first == ["0"] and [line for line, _ in examples.skipped] == [2, 3]
    assert column in examples.skipped[0][1]
    with table(path, judged=False) as (_, rows, _):
        assert len(list(rows)) == 3


def test_an_answer_that_is_a_text_rejects_nothing(written):
    path = written("f.jsonl", '{"text": "a", "label": "x", "answer": "yes"}\n'
                              '{"text": "b", "label": "x", "answer": "reject"}\n')
    assert len(read_examples(path)) == 2


def test_doubled_quotes_alone_tell_a_quoted_tsv(written):
    rows, source = read(written("f.tsv", 'text\tlabel\n"a ""b"" c"\thelp\nplain\tother\n'))
    assert rows == [('a "b" c', "help"), ("plain", "other")] and source.form == "TSV, quoted"


TABLE = 'text\tlabel\n"so ""much"" 😀\tпривет"\tyes\n"two\nlines"\tno\n'


@pytest.mark.parametrize("name", ["f.tsv", "f.txt"])
@pytest.mark.parametrize("mark, encoding", [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_unicode_text_of_excel(tmp_path, name, mark, encoding):
    (tmp_path / name).write_bytes(mark + TABLE.encode(encoding))
    rows, source = read(tmp_path / name)
    assert rows == [('so "much" 😀\tпривет', "yes"), ("two\nlines", "no")] and source.form == "TSV, quoted, UTF-16"


@pytest.mark.parametrize("encoding, form", [("utf-16", "CSV, UTF-16"), ("utf-8-sig", "CSV")])
def test_a_byte_order_mark_is_no_text(tmp_path, encoding, form):
    (tmp_path / "f.csv").write_bytes("text,label\r\na 😀,yes\r\n".encode(encoding))
    rows, source = read(tmp_path / "f.csv")
    assert rows == [("a 😀", "yes")] and source.form == form


def test_utf_16_of_many_blocks_line_by_line(tmp_path):
    texts = [f"{'😀' * (number % 7)} text {number}" for number in range(5000)]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps({"text": text, "label": "1"}, ensure_ascii=False) + "\n"
                                              for text in texts), encoding="utf-16")
    assert [text for text, _ in read(tmp_path / "f.jsonl")[0]] == texts


def test_what_a_pipe_gives_goes_to_a_file_first(tmp_path):
    for name in ("f.tsv", "63", "f.parquet", "f.csv.gz"):       # 63 as in /dev/fd/63, which --train <(...) gives
        os.mkfifo(tmp_path / name)
        with pytest.raises(Error, match="is a pipe.*COMMAND > FILE"):
            read_examples(tmp_path / name)
