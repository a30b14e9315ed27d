"""The sheet and what comes back: blind, the same for a seed, safe to open; agreement by the library krippendorff."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from bertkit import metrics
from bertkit.annotation import agreement, annotate
from bertkit.annotation.sheet import Key, read_texts
from bertkit.cli import main
from bertkit.errors import Error


@pytest.fixture
def files(tmp_path):
    """Return two systems' files and their sources, six items."""
    for name in ("ours", "theirs"):
        rows = [json.dumps({"summary": f"{name[0]}{item}: =1+1 <script>alert('ü')</script>"}) for item in range(6)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "sources.txt").write_text("".join(f"=source {item}\n" for item in range(6)))
    return [tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"], tmp_path / "sources.txt"


def filled(path, key, rating, questions=("good",), skip=()):
    """Write a sheet whose rating of a system's output is rating(item, system, question)."""
    rows = [["item", "output", *questions]]
    for item, places in enumerate(key.places, start=1):
        for letter, system in zip("AB", places, strict=False):
            rows.append([item, letter, *("" if (item, system) in skip else rating(item, system, question)
                                         for question in questions)])
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_table_is_blind_shuffled_and_the_same_again(files, tmp_path):
    for name in ("one", "two"):
        annotate(files[0], tmp_path / f"{name}.csv", files[1], ["good"], seed=3)
    text = (tmp_path / "one.csv").read_text()
    assert text == (tmp_path / "two.csv").read_text() and "ours" not in text and "theirs" not in text
    rows = list(csv.DictReader(text.splitlines()))
    items = [int(row["item"]) for row in rows]
    assert items != sorted(items) and sorted(set(items)) == [1, 2, 3, 4, 5, 6] and len(rows) == 12
    key = Key.read(tmp_path / "one.key.json")
    assert len({tuple(places) for places in key.places}) == 2       # both orders occur
    for row in rows:
        system = key.places[int(row["item"]) - 1]["AB".index(row["output"])]
        assert row["text"].startswith(f"{system[0]}{int(row['item']) - 1}:")
        assert row["source"] == f"'=source {int(row['item']) - 1}" and row["good"] == ""
    annotate(files[0], tmp_path / "other.csv", files[1], ["good"], seed=4)
    assert (tmp_path / "other.csv").read_text() != text


class Page(HTMLParser):
    """What a browser would see: tags, radios, and the policy."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.radios, self.policy = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        self.policy = found.get("content", self.policy) if found.get("http-equiv") else self.policy
        if found.get("type") == "radio":
            self.radios.append((found["name"], found["value"]))


def test_a_page_asks_everything_and_runs_nothing_of_the_data(files, tmp_path):
    annotate(files[0], tmp_path / "sheet.html", files[1], ["good?", 'is </script> "it"'], scale=4)
    text = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.radios) == len(set(page.radios)) == 6 * 2 * 2 * 4
    assert [tag for tag, _ in page.tags].count("script") == 2 and "<script>alert" not in text
    assert "default-src 'none'" in page.policy and "unsafe" not in page.policy
    assert not re.search(r"(src|href)=|https?:|//", re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))
    metadata = json.loads(re.search(r'application/json">(.*?)</script>', text)[1])
    names = {f"{item}-{letter}-{place}" for item, letter in metadata["outputs"] for place in range(2)}
    assert names == {name for name, _ in page.radios} and metadata["questions"] == ["good?", 'is </script> "it"']
    assert "ours" not in text and "theirs" not in text


def test_agreement_and_means_are_those_of_the_library(files, tmp_path):
    annotate(files[0], tmp_path / "sheet.csv", files[1], ["good"])
    key = Key.read(tmp_path / "sheet.key.json")
    rng = np.random.default_rng(0)
    table = {(item, system, who): int(rng.integers(1, 6)) for item in range(1, 7) for system in key.systems
             for who in range(3)}
    sheets = [filled(tmp_path / f"{who}.csv", key, lambda item, system, _, who=who: table[item, system, who],
                     skip={(2, "ours")} if who == 1 else ()) for who in range(3)]
    found = agreement(sheets, tmp_path / "sheet.key.json")
    assert (found["annotators"], found["items"], found["questions"]["good"]["ratings"]) == (3, 6, 35)
    places = [(item, system) for item in range(1, 7) for system in key.systems]
    matrix = np.array([[np.nan if (place, who) == ((2, "ours"), 1) else table[*place, who] for place in places]
                       for who in range(3)])
    told, krippendorff = found["questions"]["good"], pytest.importorskip("krippendorff")
    assert told["alpha"]["score"] == pytest.approx(krippendorff.alpha(matrix, level_of_measurement="ordinal"))
    whole = matrix.T[np.isfinite(matrix.T).all(axis=1)]
    assert told["kappa"]["score"] == pytest.approx(metrics.fleiss_kappa(whole))
    for system, rows in told["systems"].items():
        columns = [place for place, (_, name) in enumerate(places) if name == system]
        assert rows["score"] == pytest.approx(np.nanmean(matrix[:, columns]))
        assert rows["low"] <= rows["score"] <= rows["high"]


def test_two_who_always_agree_and_one_alone(files, tmp_path):
    annotate(files[0], tmp_path / "sheet.csv", files[1], ["good"])
    key = Key.read(tmp_path / "sheet.key.json")
    sheets = [filled(tmp_path / f"{who}.csv", key, lambda item, system, _: 1 + item % 5) for who in range(2)]
    told = agreement(sheets)["questions"]["good"]
    assert told["alpha"]["score"] == told["kappa"]["score"] == 1.0 and "systems" not in told
    assert set(agreement(sheets[:1])["questions"]["good"]) == {"ratings"}


def test_steps_that_nobody_gave_part_those_beside_them(files, tmp_path):
    annotate(files[0], tmp_path / "sheet.csv", files[1], ["good"])
    key, given = Key.read(tmp_path / "sheet.key.json"), ([1, 1, 5, 2, 5, 1], [1, 2, 5, 5, 2, 1])
    sheets = [filled(tmp_path / f"{who}.csv", key, lambda item, system, _, who=who: given[who][item - 1])
              for who in range(2)]
    kappa = pytest.importorskip("sklearn.metrics").cohen_kappa_score
    wanted = kappa(*(ratings * 2 for ratings in given), labels=[1, 2, 3, 4, 5], weights="quadratic")
    assert agreement(sheets)["questions"]["good"]["kappa"]["score"] == pytest.approx(wanted)


def test_a_sheet_that_is_there_is_not_written_over(files, tmp_path):
    annotate(files[0], tmp_path / "sheet.csv", files[1], ["good"])
    before = (tmp_path / "sheet.csv").read_text()
    for name, there in (("sheet.csv", "sheet.csv"), ("sheet.html", "sheet.key.json")):
        with pytest.raises(Error, match=f"{there} is already there, and a sheet may hold ratings; choose another"):
            annotate(files[0], tmp_path / name, files[1], ["bad"], seed=1)
    assert (tmp_path / "sheet.csv").read_text() == before


@pytest.mark.parametrize(("row", "words"), [
    ("1,A,6", "line 3, column 'good': '6' came, wanted a whole number of 1 to 5"),
    ("1,A,yes", "line 3, column 'good': 'yes'"),
    ("9,A,1", "line 3, column 'item': '9' came, wanted a number of 1 to 6"),
    ("1,C,1", "line 3, column 'output': 'C' came, wanted a letter of A to B"), ("1,B,2", "came before, in line 2"),
    ("1,A", "line 3, 2 fields came, 3 were wanted")])
def test_what_is_no_rating_is_named(files, tmp_path, row, words):
    annotate(files[0], tmp_path / "sheet.csv", files[1], ["good"])
    (tmp_path / "bad.csv").write_text(f"item,output,good\n1,B,2\n{row}\n")
    with pytest.raises(Error, match=words) as told:
        agreement([tmp_path / "bad.csv"], tmp_path / "sheet.key.json")
    assert str(told.value).startswith(str(tmp_path / "bad.csv"))


def test_sheets_of_two_kinds_are_refused(tmp_path):
    for name, question in (("one", "good"), ("two", "bad")):
        (tmp_path / f"{name}.csv").write_text(f"item,output,{question}\n1,A,2\n")
    with pytest.raises(Error, match="two.csv asks 'bad', and .*one.csv 'good'"):
        agreement([tmp_path / "one.csv", tmp_path / "two.csv"])


def test_what_gives_no_sheet_is_refused(files, tmp_path):
    (tmp_path / "few.txt").write_text("one\n")
    for arguments, words in (((files[0], "sheet.pdf"), "end it in .html or .csv"),
                             (([files[0][0]] * 2, "s.csv"), "different names"),
                             ((files[0], "s.csv", None, ["item"]), "none of them item"),
                             ((files[0], "s.csv", None, None, 1), "scale of 2 to 100"),
                             ((files[0], "s.csv", tmp_path / "few.txt"), "ours.jsonl has 6 texts, and .* 1")):
        with pytest.raises(Error, match=words):
            annotate(arguments[0], tmp_path / arguments[1], *arguments[2:])
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text": 3}\n')
    with pytest.raises(Error, match="bad.jsonl: line 2, column 'text': a number came"):
        read_texts(tmp_path / "bad.jsonl")


def test_the_commands(files, tmp_path, capsys):
    words = ["annotate", *map(str, files[0]), "--source", str(files[1]), "--out", str(tmp_path / "sheet.csv"),
             "--question", "good", "--question", "short"]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == 6
    key = Key.read(tmp_path / "sheet.key.json")
    sheets = [str(filled(tmp_path / f"{who}.csv", key, lambda item, *_: 1 + item % 3, ("good", "short")))
              for who in ("ann", "bob")]
    assert main(["agreement", *sheets, "--key", str(tmp_path / "sheet.key.json"), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["questions"]) == ["good", "short"]
