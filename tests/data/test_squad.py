"""SQuAD JSON of both versions, and what is wrong with files that cannot be read."""

import json

import pytest

from bertkit.data import json_rows
from bertkit.data.columns import Columns
from bertkit.data.squad import read_squad
from bertkit.errors import Error

CONTEXT = "Ann lives in \U0001f3e0 Rome."


def question(key="q", **changes):
    return {"id": key, "question": "Where?", "answers": [{"text": "Rome", "answer_start": 15}]} | changes


def dataset(*questions, **paragraph):
    return {"version": "1.1", "data": [{"title": "Ann", "paragraphs": [
        {"context": CONTEXT, "qas": list(questions)} | paragraph]}]}


@pytest.fixture
def written(tmp_path):
    """Return a function content -> path of a file that holds it: JSON, text or bytes."""
    def write(content, name="f.json"):
        path = tmp_path / name
        content = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


@pytest.mark.parametrize("file, version, questions, impossible, answers", [
    ("squad/train-v1.1.json", "1.1", 4370, 0, 4370), ("squad/dev-v1.1.json", "1.1", 5565, 0, 18096),
    ("squad/train-v2.0.json", "2.0", 4463, 2409, 7406), ("squad/dev-v2.0.json", "2.0", 1844, 879, 3025),
    *((f"xquad/xquad.{language}.json", "1.1", 585, 0, 585) for language in ("ar", "de", "es", "hi", "zh"))])
def test_published_files(shared, file, version, questions, impossible, answers):
    found = read_squad(shared(f"data/{file}"))
    assert (found.version, len(found), found.skipped) == (version, questions, [])
    assert (sum(not given for given in found.answers), sum(map(len, found.answers))) == (impossible, answers)
    assert all(context[start:start + len(text)] == text
               for context, given in zip(found.contexts, found.answers, strict=True) for text, start in given)
    assert found.lines == list(range(1, questions + 1)) and len(set(found.ids)) == questions


def test_columns_run_side_by_side(written):
    found = read_squad(written(b"\xef\xbb\xbf" + json.dumps(dataset(question("a"), question("b"))).encode()))
    assert (found.version, found.ids, found.questions) == ("1.1", ["a", "b"], ["Where?"] * 2)
    assert (found.contexts, found.answers) == ([CONTEXT] * 2, [[("Rome", 15)]] * 2)


def test_the_second_version_is_told_by_is_impossible(written):
    path = written(dataset(question("a", is_impossible=False), question("b", is_impossible=True, answers=[])))
    assert (read_squad(path).version, read_squad(path).answers) == ("2.0", [[("Rome", 15)], []])
    assert read_squad(path, limit=1).version == "2.0"
    assert read_squad(written(dataset(question(is_impossible=False)))).version == "1.1", "tools write false everywhere"


def test_limit_counts_questions(written):
    path = written(dataset(question("a"), question("b"), question("c")))
    assert read_squad(path, limit=2).ids == ["a", "b"]
    with pytest.raises(Error, match="limit=0"):
        read_squad(path, limit=0)


def answered(text, start):
    return question(answers=[{"text": text, "answer_start": start}])


FAULTS = {
    "an answer elsewhere": (answered("Rome", 14), ["'Rome' does not stand at character 14", "' Rom' does"]),
    "an answer before the context": (answered("ome.", -4), ["does not stand at character -4"]),
    "an answer of nothing": (answered("", 3), ["text ''"]),
    "a start that is no number": (answered("Ann", "0"), ["answer_start '0'"]),
    "a start that is true": (answered("n", True), ["answer_start True"]),
    "an answer that is a text": (question(answers=["Rome"]), ["'Rome' where an object was wanted"]),
    "no answers": (question(answers=[]), ["answers is [] where answers were wanted"]),
    "answers left out": ({"id": "q", "question": "?"}, ["answers is None"]),
    "answers of an impossible one": (question(is_impossible=True), ["an empty list was wanted (is_impossible)"]),
    "impossible to say": (question(is_impossible="no"), ["is_impossible is 'no'"]),
    "an id that is a list": (question(["q"]), ["the id is ['q'] where a text was wanted"]),
    "an id that came before": (question("good"), ["the id came before"]),
    "no question": (question(question=None), ["the question is None"]),
    "half a character": (question(question="\ud83c"), ["the question is '\\ud83c'"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_or_skipped(written, fault):
    bad, words = FAULTS[fault]
    path = written(dataset(question("good"), bad, question("last")))
    with pytest.raises(Error) as told:
        read_squad(path)
    place = ["article 'Ann'", "paragraph 1", f"question {bad['id']!r}"]
    assert all(word in str(told.value) for word in [str(path), *place, *words, "--skip-bad-rows"]), told.value
    found = read_squad(path, skip_bad_rows=True)
    assert (found.ids, found.lines, len(found.skipped)) == (["good", "last"], [1, 3], 1)
    assert found.skipped[0][0] == 2 and all(word in found.skipped[0][1] for word in [*place, *words])


def test_a_context_that_is_none(written):
    with pytest.raises(Error, match="the context is None"):
        read_squad(written(dataset(question(), context=None)))


@pytest.mark.parametrize("content, words", [
    ("in\tO\n", ["line 1, column 1", "not JSON", "give SQuAD JSON"]),
    ('{"data": [\n{]}', ["line 2, column 2", "not JSON"]),
    (b'{"data":\n "\xff"}', ["line 2", "0xff", "not UTF-8"]),
    ("[" * 100000, ["not JSON that can be read"]),
    ("[]", ["the file has no list 'data'"]), ({"data": {}}, ["the file has no list 'data'"]),
    ({"data": [[]]}, ["article 1 has no list 'paragraphs'"]),
    ({"data": [{"title": "T", "paragraphs": [{"context": "c"}]}]}, ["article 'T', paragraph 1 has no list 'qas'"]),
    (dataset(5), ["question 1 is no object"]),
    ({"data": []}, ["no question that can be used (0 were skipped)"]),
    ("", ["is empty"]), (bytes(range(256)), ["is not text"]),
])
def test_files_of_another_kind(written, content, words):
    path = written(content)
    with pytest.raises(Error) as told:
        read_squad(path, skip_bad_rows=True)
    assert all(word in str(told.value) for word in [str(path), *words]) and "\n" not in str(told.value)


def test_a_missing_file_a_folder_and_a_giant(tmp_path, written, monkeypatch):
    for path, words in ((tmp_path / "none", "cannot be read"), (tmp_path, "is a folder")):
        with pytest.raises(Error, match=words):
            read_squad(path)
    monkeypatch.setattr(json_rows, "LARGEST", 100)
    with pytest.raises(Error, match="more than 100 bytes, too many for one JSON value; give SQuAD JSON"):
        read_squad(written(dataset(question())))


def flat(**changes):
    return {"id": "q", "question": "Where?", "context": CONTEXT,
            "answers": {"text": ["Rome", "Rome."], "answer_start": [15, 15]}} | changes


BOTH = [[("Rome", 15), ("Rome.", 15)], []]


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


NOBODY = {"text": [], "answer_start": []}
CELL = json.dumps(flat()["answers"]).replace('"', '""')


@pytest.mark.parametrize("name, content", [
    ("f.jsonl", lines(flat(), flat(id="r", answers=NOBODY))),
    ("f.json", json.dumps([flat(), flat(id="r", answers=NOBODY)])),
    ("f.json", json.dumps({"version": "x", "data": [flat(), flat(id="r", answers=NOBODY)]})),
    ("f.json", lines(flat(), flat(id="r", answers=NOBODY))),
    ("f.csv", f'id,title,context,question,answers\nq,t,{CONTEXT},Where?,"{CELL}"\n'
              f'r,t,{CONTEXT},Where?,"{{""text"": [], ""answer_start"": []}}"\n'),
    ("f.jsonl", lines({"header": {"dataset": "x"}}, {"context": CONTEXT, "qas": [
        {"qid": "q", "question": "Where?", "answers": ["Rome"], "detected_answers": [
            {"text": "Rome", "char_spans": [[15, 18]]}, {"text": "Rome.", "char_spans": [[15, 19]]}]},
        {"qid": "r", "question": "Where?", "answers": [], "detected_answers": []}]})),
], ids=["lines", "array", "array under a name", "lines as .json", "JSON in cells", "MRQA"])
def test_flat_rows_say_what_squad_says(written, name, content):
    if "header" in content:                     # MRQA has no way to say that there is no answer
        with pytest.raises(Error, match="line 2, question 2: answers is \\[\\] where answers were wanted"):
            read_squad(written(content, name))
        assert read_squad(written(content, name), skip_bad_rows=True).answers == BOTH[:1]
        return
    found = read_squad(written(content, name))
    assert (found.ids, found.questions, found.contexts) == (["q", "r"], ["Where?"] * 2, [CONTEXT] * 2)
    assert (found.answers, found.version) == (BOTH, "2.0")


def test_an_answer_and_its_place_in_columns(written):
    content = f"passage;asked;answer;start\n{CONTEXT};Where?;Rome;15\n{CONTEXT};Who?;;\n"
    path = written(content, "f.csv")
    with pytest.raises(Error, match="wanted question and context, or name them with --text .the question."):
        read_squad(path)
    found = read_squad(path, Columns(text="asked"))
    assert (found.answers, found.version, found.ids) == ([[("Rome", 15)], []], "2.0", ["question 1", "question 2"])
    assert dict(found.source.columns) == {"question": "asked", "context": "passage", "answers": "answer",
                                          "start": "start"}


@pytest.mark.parametrize("keys", [(262, 263), (900.0, 901.0), ("a", "b")])
def test_ids_are_only_told_apart(written, keys):
    found = read_squad(written(dataset(*map(question, keys))))
    assert found.ids == list(map(str, keys)) and found.version == "1.1"


def test_the_key_with_false_says_nothing(written):
    plain = read_squad(written(dataset(question("a")), "plain.json"))
    false = read_squad(written(dataset(question("a", is_impossible=False)), "false.json"))
    assert (plain.version, plain.answers) == (false.version, false.answers) == ("1.1", [[("Rome", 15)]])
