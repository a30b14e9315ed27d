"""Collections in TREC's forms, their quirks, and runs."""

import pytest

from bertkit.data.passages import read_texts
from bertkit.data.trec import read_collection, write_run
from bertkit.errors import Error

SMART = """.I 001
.T
the sea
.A
somebody
.W
the sea
  is deep .
.I 7
.W
sun
.W
and moon
.I 9
.T
.W
"""
TAGGED = """<DOC>
<DOCNO> FT-1 </DOCNO>
<DATE>1994</DATE>
<HEADLINE>the sea</HEADLINE>
<TEXT>
is <b>deep</b> .
</TEXT>
</DOC>
<doc><docno>FT-2</docno><text>sun</text></doc>
"""
TOPICS = """<top>
<num> Number: 301
<title> deep seas

<desc> Description:
How deep?
</top>
"""


def written(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def small(tmp_path, qrels="1 0 d1 2\n2 0 d2 0\n", **more):
    return written(tmp_path / "small", queries__tsv="1\tdeep sea\n2\tsun\n", docs__tsv="d1\tthe sea\nd2\tthe sun\n",
                   qrels=qrels, **more)


# ----------------------------------------------------------------------------------------------------- texts


def test_a_first_row_of_the_same_twice_is_a_row_like_others(tmp_path):
    assert read_texts(written(tmp_path, a__tsv="7\t7\n8\tsun\n") / "a.tsv") == {"7": "7", "8": "sun"}


def test_a_header_with_one_known_name_is_no_row(tmp_path):
    with pytest.raises(Error, match="has the columns 'doc_id', 'passage_text'; wanted id and text"):
        read_texts(written(tmp_path, a__tsv="doc_id\tpassage_text\n1\tsun\n") / "a.tsv")
    with pytest.raises(Error, match="2 columns 'text'"):
        read_texts(written(tmp_path, a__tsv="id\ttext\ttext\n1\tsun\tmoon\n") / "a.tsv")


def test_a_record_without_end_is_told_and_not_lost(tmp_path):
    folder = written(tmp_path, docs=TAGGED.replace("</DOC>\n", "", 1))
    with pytest.raises(Error, match="docs: line 1, the record has no end"):
        read_texts(folder / "docs")


def test_smart_records(tmp_path):
    found = read_texts(written(tmp_path, all__txt=SMART) / "all.txt")
    assert found == {"1": "the sea is deep .", "7": "sun and moon", "9": ""}


def test_trec_documents_and_topics(tmp_path):
    folder = written(tmp_path, docs=TAGGED, topics=TOPICS)
    assert read_texts(folder / "docs") == {"FT-1": "the sea is deep .", "FT-2": "sun"}
    assert read_texts(folder / "topics") == {"301": "deep seas"}


@pytest.mark.parametrize("name, rows", [
    ("a.jsonl", '{"_id": "d1", "text": "the sea"}\n{"_id": "d2", "title": "sun", "text": ""}\n'),
    ("a.tsv", "d1\tthe sea\nd2\tsun\n"), ("a.tsv", "id\ttext\nd1\tthe sea\nd2\tsun\n"),
    ("a", "d1\tthe sea\nd2\tsun\n"), ("a.txt", "qid\tquery\nd1\tthe sea\n\nd2\tsun\n"),
    ("a.csv", "docid,url,text\nd1,x,the sea\nd2,y,sun\n"),
    ("a.jsonl", '{"_id": "d1", "title": "the", "text": "sea"}\n{"_id": "d2", "title": "", "text": "sun"}\n')])
def test_tables_of_texts(tmp_path, name, rows):
    assert read_texts(written(tmp_path, **{name.replace(".", "__"): rows}) / name) == {"d1": "the sea", "d2": "sun"}


@pytest.mark.parametrize("name, text, wrong", [
    ("a", ".I 1\n.W\na\n.I 1\n.W\nb\n", "line 4, the id '1' came before, in line 1"),
    ("a", ".I one\n", "line 1, '.I one' came where a record was wanted"),
    ("a", ".I 1\nsea\n", "line 2, 'sea' came where a field was wanted"),
    ("a", "<DOC>\n<TEXT>sea</TEXT>\n</DOC>\n", "line 1, the record has no <DOCNO>"),
    ("a", "<DOC>\n<DOCNO>1</DOCNO>\n", "line 1, the record has no end"),
    ("a.tsv", "a\tb\tc\n", "wanted id and text"), ("a.tsv", "id\ttext\n1\n", "line 2, 1 fields came"),
    ("a.jsonl", '{"id": "1", "text": "a"}\n{"id": "2"}\n', "line 2, the object has no key 'text'"),
    ("a.jsonl", '{"id": "1", "text": ["a"]}\n', "a list came"), ("a.tsv", "id\ttext\n", "holds no text"),
    ("a", "d1\tsea\nsun\n", "line 2, 'sun' came where id, tab, text"), ("a", "", "is empty")])
def test_texts_that_cannot_be_read_are_named(tmp_path, name, text, wrong):
    with pytest.raises(Error, match=wrong):
        read_texts(written(tmp_path, **{name.replace(".", "__"): text}) / name)


def test_bytes_that_are_no_utf_8_are_named(tmp_path):
    (tmp_path / "a").write_bytes(b".I 1\n.W\ncaf\xe9\n")
    with pytest.raises(Error, match="line 3, column 4"):
        read_texts(tmp_path / "a")


# ----------------------------------------------------------------------------------------------- collections


def test_cranfield_as_published(shared):
    found = read_collection(shared("data/ir/cranfield"))
    assert (len(found.documents), len(found.queries), len(found)) == (1400, 225, 1837)
    assert found.documents["471"] == found.documents["995"] == ""
    assert found.documents["1"].startswith("experimental investigation of the aerodynamics of a wing in a slipstream .")
    assert found.documents["1"].count("wing in a slipstream") == 1
    # Judgements count queries in the file's order: number 3 has the id 4.
    assert found.queries["4"].startswith("what problems of heat conduction")
    assert set(found.qrels) == set(found.queries) and found.qrels["4"]["5"] == 2
    assert found.qrels["1"]["184"] == 3 and not found.skipped and not found.listed


def test_cranfields_own_codes_give_the_grades_of_its_corrected_file(shared, tmp_path):
    source = shared("data/ir/cranfield")
    for name in ("cran.all.1400", "cran.qry", "cranqrel", "cranqrel.readme"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    assert read_collection(tmp_path).qrels == read_collection(source).qrels


def test_medline_as_published(shared):
    found = read_collection(shared("data/ir/medline"))
    assert (len(found.documents), len(found.queries), len(found)) == (1033, 30, 696)
    assert found.qrels["1"]["13"] == 1
    assert found.queries["1"] == "the crystalline lens in vertebrates, including humans."


def test_a_folder_of_tables(tmp_path):
    found = read_collection(small(tmp_path))
    assert found.qrels == {"1": {"d1": 2}, "2": {"d2": 0}} and found.documents["d2"] == "the sun"
    assert len(read_collection(small(tmp_path), limit=1)) == 1


def test_judgements_with_a_header_and_three_columns(tmp_path):
    assert read_collection(small(tmp_path, "query-id\tcorpus-id\tscore\n1\td1\t1\n")).qrels == {"1": {"d1": 1}}


@pytest.mark.parametrize("qrels, wrong", [
    ("1 0 d1 2\n3 0 d1 1\n", "line 2, the query '3' is not among the 2"),
    ("1 0 d9 2\n", "line 1, the document 'd9' is not among the 2"), ("1 0 d1 good\n", "line 1, the grade 'good'"),
    ("1 0 d1 1\n\n1 0 d1 2\n", "line 3, the grade of document 'd1' for query '1' was 1 before"),
    ("1 d1 1\n1\n", "line 2, 1 fields came")])
def test_judgements_that_cannot_be_used_are_named_or_skipped(tmp_path, qrels, wrong):
    folder = small(tmp_path, qrels)
    with pytest.raises(Error, match=wrong):
        read_collection(folder)
    (folder / "qrels").write_text(qrels + "2 0 d1 1\n")
    found = read_collection(folder, skip_bad_rows=True)
    assert found.qrels["2"] == {"d1": 1} and len(found.skipped) == 1


def test_a_folder_without_a_part_or_with_two_is_refused(tmp_path):
    folder = small(tmp_path, topics__tsv="1\tsea\n")
    with pytest.raises(Error, match=r"several files of queries \(queries.tsv, topics.tsv\)"):
        read_collection(folder)
    for name in ("queries.tsv", "topics.tsv"):
        (folder / name).unlink()
    with pytest.raises(Error, match="no file of queries"):
        read_collection(folder)


def test_rows_of_query_document_grade(tmp_path):
    rows = "query\tdocument\tgrade\nsea\tdeep\t2\nsun\tdeep\t0\nsea\thot\t0\n"
    found = read_collection(written(tmp_path, rows__tsv=rows) / "rows.tsv")
    assert found.queries == {"q1": "sea", "q2": "sun"} and found.documents == {"d1": "deep", "d2": "hot"}
    assert found.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d1": 0}} and found.listed
    with pytest.raises(Error, match="line 3, the grade 'x'"):
        read_collection(written(tmp_path, rows__tsv="query\tdocument\tgrade\na\tb\t1\na\tc\tx\n") / "rows.tsv")
    with pytest.raises(Error, match="no column of documents"):
        read_collection(written(tmp_path, rows__tsv="query\tgrade\na\t1\n") / "rows.tsv")


# ------------------------------------------------------------------------------------------------------ runs


def test_a_run_is_written_as_trec_eval_orders_it(tmp_path):
    write_run(tmp_path / "run", {"q1": {"a": 0.5, "b": 2.0, "c": 0.5}, "q2": {}}, "mine")
    assert (tmp_path / "run").read_text().splitlines() == ["q1 Q0 b 1 2.0 mine", "q1 Q0 c 2 0.5 mine",
                                                           "q1 Q0 a 3 0.5 mine"]


def test_an_id_with_blanks_is_refused(tmp_path):
    with pytest.raises(Error, match="'a b' has blanks"):
        write_run(tmp_path / "run", {"q": {"a b": 1.0}})


def test_a_first_judgement_whose_query_is_called_query_is_no_header(tmp_path):
    folder = written(tmp_path / "q", queries__tsv="query1\tsea\nquery2\tsun\n", docs__tsv="d1\tsea\nd2\tsun\n",
                     qrels="query1 0 d1 1\nquery2 0 d2 1\n")
    assert read_collection(folder).qrels == {"query1": {"d1": 1}, "query2": {"d2": 1}}


def test_judgements_lie_in_a_folder_of_their_own_as_in_beir(tmp_path):
    folder = written(tmp_path / "beir", queries__jsonl='{"_id": "1", "text": "sea"}\n',
                     corpus__jsonl='{"_id": "d", "text": "sea"}\n')
    written(folder / "qrels", test__tsv="query-id\tcorpus-id\tscore\n1\td\t2\n")
    assert read_collection(folder).qrels == {"1": {"d": 2}}
    written(folder / "qrels", dev__tsv="query-id\tcorpus-id\tscore\n1\td\t2\n")
    with pytest.raises(Error, match="several files of judgements .dev.tsv, test.tsv.; keep one"):
        read_collection(folder)
