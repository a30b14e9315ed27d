"""GLUE as it is published: which files are a task's, what its recipes make of them, and its test files."""

import numpy as np
import pytest

from bertkit.data.glue import LAYOUTS, find_tasks, read_test
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.errors import Error
from bertkit.metrics.glue import GLUE, SCORED
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression

PAIRS = ("MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI")
# The first row of each training file as its README shows or the file begins, without what the layout adds.
FIRST = {
    "CoLA": ("Our friends won't buy this analysis, let alone the next one we propose.", "1"),
    "SST-2": ("hide new secretions from the parental units ", "0"),
    "MRPC": (('Amrozi accused his brother, whom he called "the witness", of deliberately distorting his evidence.',
              'Referring to him as only "the witness", Amrozi accused his brother of deliberately distorting his '
              'evidence.'), "1"),
    "QQP": (("How is the life of a math student? Could you describe your own experiences?",
             "Which level of prepration is enough for the exam jlpt5?"), "0"),
    "QNLI": (("What sector has expanded radiply by selling outsourcing services to North America and Europe?",
              "The IT sector has been stimulated by new Egyptian entrepreneurs with government encouragement."
              "[citation needed]"), "not_entailment"),
    "RTE": (("No Weapons of Mass Destruction Found in Iraq Yet.", "Weapons of Mass Destruction Found in Iraq."),
            "not_entailment"),
    "WNLI": (("I stuck a pin through a carrot. When I pulled the pin out, it had a hole.", "The carrot had a hole."),
             "1"),
}


@pytest.fixture
def put(tmp_path):
    """Return a function path, rows of fields -> the file of these rows below a GLUE folder."""
    def write(path, *rows):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        return file

    return write


# ------------------------------------------------------------------------------------ the published files


@pytest.mark.parametrize("name", [name for name in SCORED if name != "STS-B"])
def test_classify_reads_each_task_with_its_labels_in_glues_order(shared, name):
    layout = LAYOUTS[name]
    task, train = learn_task("classify", shared(f"data/glue/{layout.train}"))
    dev = read_labelled(task, shared(f"data/glue/{layout.dev}"))
    assert layout.recipe == "classify" and task.labels == GLUE[name].labels and task.pairs == (name in PAIRS)
    assert not train.skipped and not dev.skipped
    if name in FIRST:
        assert (train.inputs[0], task.labels[train.targets[0]]) == FIRST[name]
    assert set(GLUE[name].metrics) <= {"accuracy_matched", "accuracy_mismatched", *task.metrics}


@pytest.mark.parametrize("name", ["MRPC", "QQP"])
def test_f1_is_that_of_class_1(shared, name):
    """Whoever says 1 to every row has precision = the share of ones and recall 1."""
    task, _ = learn_task("classify", shared(f"data/glue/{LAYOUTS[name].train}"), limit=100)
    dev = read_labelled(task, shared(f"data/glue/{LAYOUTS[name].dev}"))
    share = np.mean(np.array(dev.targets) == 1)
    scores = task.scores(dev.targets, np.tile([[0.2, 0.8]], (len(dev), 1)))
    assert scores["accuracy"] == pytest.approx(share)
    assert scores["f1"] == pytest.approx(2 * share / (share + 1))


def test_score_reads_sts_b(shared):
    layout = LAYOUTS["STS-B"]
    task, train = learn_task("score", shared(f"data/glue/{layout.train}"))
    dev = read_labelled(task, shared(f"data/glue/{layout.dev}"))
    assert layout.recipe == "score" and task.pairs and not dev.skipped
    assert (train.inputs[0], train.targets[0]) == (("A plane is taking off.", "An air plane is taking off."), 5.0)
    assert min(dev.targets) == 0 and max(dev.targets) == 5
    assert task.metrics.keys() >= set(GLUE["STS-B"].metrics)


def test_all_nine_are_found_in_the_sample(shared):
    found, missing = find_tasks(shared("data/glue"))
    assert [files.name for files in found] == list(SCORED) and missing == {}
    assert {files.name: files.lines for files in found} | {"SST-2": 67350, "CoLA": 8551, "RTE": 2241} == {
        files.name: files.lines for files in found}


def test_the_order_of_the_labels_is_glues_and_no_alphabets(put):
    rows = [("premise", "hypothesis", "label"), *(("a", "b", label) for label in sorted(GLUE["MNLI"].labels))]
    task, train = learn_task("classify", put("nli.tsv", *rows))
    assert task.labels == ("entailment", "neutral", "contradiction") and train.targets.tolist() == [2, 0, 1]


# ----------------------------------------------------------------------------------------- what is there


def test_what_is_missing_is_said_by_file(put, tmp_path):
    for path in ("RTE/train.tsv", "RTE/dev.tsv", "MNLI/train.tsv", "MNLI/dev_matched.tsv", "WNLI/train.tsv",
                 "RTE/test.tsv", "MNLI/test_mismatched.tsv", "diagnostic/diagnostic.tsv"):
        put(path, ("a",), ("b",))
    found, missing = find_tasks(tmp_path, ["WNLI", "RTE", "MNLI", "CoLA"])
    mnli, rte = found
    assert missing == {"CoLA": "no CoLA/train.tsv and no CoLA/dev.tsv", "WNLI": "no WNLI/dev.tsv"}
    assert (mnli.name, mnli.second, list(mnli.tests)) == ("MNLI", None, ["MNLI-mm", "AX"])
    assert rte.tests == {"RTE": tmp_path / "RTE" / "test.tsv"} and rte.lines == 2
    put("MNLI/dev_mismatched.tsv", ("a",))
    assert find_tasks(tmp_path, ["MNLI"])[0][0].second == tmp_path / "MNLI" / "dev_mismatched.tsv"


def test_an_unknown_task_and_an_empty_folder(tmp_path):
    with pytest.raises(Error, match="GLUE has no task 'SST2'; its tasks are CoLA, SST-2"):
        find_tasks(tmp_path, ["SST2"])
    with pytest.raises(Error, match="holds none of CoLA, .*WNLI; a GLUE folder has a folder for each"):
        find_tasks(tmp_path)


# ------------------------------------------------------------------------------------------- test files

SINGLE, PAIR = Classification(("0", "1")), Classification(("0", "1"), pairs=True)


@pytest.mark.parametrize("task, header, row, wanted", [
    (SINGLE, "index sentence", ("7", 'a "quoted text'), 'a "quoted text'),
    (PAIR, "index question sentence", ("7", "why?", "so"), ("why?", "so")),
    (PAIR, "\ufeffindex #1_ID #2_ID #1_String #2_String", ("7", "10", "11", "one", "two"), ("one", "two")),
    (PAIR, "id question1 question2", ("7", "one", ""), ("one", "")),
    (PAIR, "index promptID pairID genre sentence1_binary_parse sentence2_binary_parse sentence1_parse "
           "sentence2_parse sentence1 sentence2", ("7", *"bcdefgh", "one", "two"), ("one", "two")),
    (Regression(), "index genre filename year old_index source1 source2 sentence1 sentence2",
     ("7", *"bcdefg", "one", "two"), ("one", "two")),
])
def test_test_files_of_each_layout(put, task, header, row, wanted):
    path = put("test.tsv", [name.replace("_", " ") if "#" in name else name for name in header.split()], row)
    assert read_test(task, path) == (["7"], [wanted])


def test_rows_without_an_index_are_counted_from_0(put):
    assert read_test(SINGLE, put("t.tsv", ["sentence"], ["a"], ["b"])) == (["0", "1"], ["a", "b"])


def test_no_row_of_a_test_file_is_left_out(put):
    with pytest.raises(Error, match="test.tsv: line 3, 1 fields came, 2 were wanted"):
        read_test(SINGLE, put("test.tsv", ["index", "sentence"], ["0", "a"], ["1"]))
    with pytest.raises(Error, match="single texts"):
        read_test(PAIR, put("test.tsv", ["index", "sentence"], ["0", "a"]))
