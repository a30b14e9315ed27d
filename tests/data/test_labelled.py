"""Files as inputs of a task: what is skipped when asked, and what nothing can be learnt from."""

import pytest

from bertkit.data.labelled import learn_task
from bertkit.errors import Error

SCORES = "sentence1\tsentence2\tscore\na\tb\t1\nc\td\thigh\nbroken\ne\tf\tnan\ng\th\t3.5\n"


def test_scores_that_are_no_numbers_are_told_or_skipped(tmp_path, capsys):
    path = tmp_path / "scores.tsv"
    path.write_text(SCORES.replace("broken\n", ""))
    with pytest.raises(Error, match="line 3, column 'score': the score 'high' is no number; mend it, or leave such"):
        learn_task("score", path)
    path.write_text(SCORES)
    task, labelled = learn_task("score", path, skip_bad_rows=True)
    assert (labelled.inputs, list(labelled.targets)) == ([("a", "b"), ("g", "h")], [1.0, 3.5])
    assert (task.mean, task.spread) == (2.25, 1.25)
    assert [line for line, _ in labelled.skipped] == [3, 4, 5]
    assert "left out 3 of its rows, first line 3" in capsys.readouterr().err


def test_a_file_without_any_score_is_told_whatever_is_skipped(tmp_path):
    (tmp_path / "f.csv").write_text("text,label\na,x\nb,y\n")
    with pytest.raises(Error, match="line 2, column 'label': the score 'x' is no number"):
        learn_task("score", tmp_path / "f.csv", skip_bad_rows=True)


def test_sentences_without_an_entity_teach_nothing(tmp_path):
    (tmp_path / "f.conll").write_text("in O\nRome O\n\nhere O\n")
    with pytest.raises(Error, match="tags no entity in the 2 sentences that were read; give"):
        learn_task("tag", tmp_path / "f.conll")
