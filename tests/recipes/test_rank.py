"""`bertkit rank` from a collection to scores: a folder in TREC form, or rows, searched by words or by vectors."""

import io
import json
import shutil

import keras
import pytest

from bertkit import metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from bertkit.heads import SentenceEmbedder
from bertkit.predictor import Predictor
from bertkit.retrieval import load
from bertkit.tasks.embedding import Embedding
from tests import tiny

QUERIES = {"1": "good film", "2": "bad story", "3": "warm scene", "4": "dull actor", "5": "cold film"}
DOCUMENTS = {f"d{number}": f"the {noun} was {mood}" for number, (noun, mood) in enumerate(
    (noun, mood) for noun in ("film", "story", "scene", "actor") for mood in ("good", "bad", "warm", "dull", "cold"))}


def relevant(query):
    mood, noun = QUERIES[query].split()
    return [name for name, text in DOCUMENTS.items() if noun in text and mood in text]


@pytest.fixture(scope="module")
def place(steps, tmp_path_factory):
    """Return a folder with an encoder, an embedder, a collection and a file of rows."""
    folder = tmp_path_factory.mktemp("rank")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    embedder = SentenceEmbedder(encoder)
    bundle.save(folder / "embedder", embedder, tiny.tokenizer(), Card("vectors", "embed", bundle.describe(embedder)),
                length=16, task=Embedding(tiny.CONFIG.hidden_dim))
    (folder / "collection").mkdir()
    for name, texts in (("queries", QUERIES), ("documents", DOCUMENTS)):
        rows = "".join(f"{key}\t{text}\n" for key, text in texts.items())
        (folder / "collection" / f"{name}.tsv").write_text(rows)
    (folder / "collection" / "qrels.txt").write_text(
        "".join(f"{query} 0 {name} 1\n" for query in QUERIES for name in relevant(query)))
    (folder / "rows.tsv").write_text("query\tdocument\tgrade\n" + "".join(
        f"{text}\t{document}\t{int(name in relevant(query))}\n" for query, text in QUERIES.items()
        for name, document in DOCUMENTS.items()))
    return folder


def rank(place, out, data, *more, epochs=1):
    knobs = {"model": place / "encoder", "train": place / data, "dev": place / data, "out": place / out,
             "epochs": epochs, "length": 16, "batch-size": 4, "learning-rate": 5e-3, "candidates": 6}
    return main(["rank", *(str(part) for name, value in knobs.items() for part in (f"--{name}", value)), "--json",
                 *more])


@pytest.fixture(scope="module")
def trained(place):
    assert rank(place, "ranker", "rows.tsv", epochs=2) == 0
    return place / "ranker"


def test_a_folder_is_searched_and_put_in_order(place):
    assert rank(place, "found", "collection", "--embedder", str(place / "embedder")) == 0
    card = Card.read(place / "found" / "card.json")
    assert list(card.scores["dev"]) == ["map", "mrr", "ndcg@10", "p@10", "recall@10"]
    assert card.data["dev"]["file"] == "collection" and card.data["dev"]["rows"] == 5
    assert bundle.read_metadata(place / "found")["task"] == {"name": "rank", "candidates": 6}


def test_what_is_evaluated_is_what_is_predicted(trained, place, capsys, monkeypatch):
    rows = [(query, name) for query in QUERIES for name in DOCUMENTS]
    lines = "".join(f"{QUERIES[query]}\t{DOCUMENTS[name]}\n" for query, name in rows)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["predict", str(trained)]) == 0
    scores, run = [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()], {}
    for (query, name), score in zip(rows, scores, strict=True):
        run.setdefault(query, {})[f"{DOCUMENTS[name]}"] = score
    qrels = {query: {DOCUMENTS[name]: int(name in relevant(query)) for name in DOCUMENTS} for query in QUERIES}
    assert main(["evaluate", str(trained), "--data", str(place / "rows.tsv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    wanted = metrics.ranking(qrels, run)
    assert {name: found[name] for name in ("map", "mrr", "ndcg@10")} == pytest.approx(
        {name: wanted[name] for name in ("map", "mrr", "ndcg@10")}, abs=1e-6)


def test_a_search_leaves_its_run_and_its_index(trained, place, capsys):
    knobs = {"model": place / "embedder", "ranker": trained, "data": place / "collection", "k": 7, "length": 16,
             "out": place / "search"}
    words = [str(part) for name, value in knobs.items() for part in (f"--{name}", value)]
    assert main(["retrieve", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    lines = [line.split() for line in (place / "search" / "run.txt").read_text().splitlines()]
    run = {query: {line[2]: float(line[4]) for line in lines if line[0] == query} for query in QUERIES}
    qrels = {query: dict.fromkeys(relevant(query), 1) for query in QUERIES}
    assert len(lines) == 7 * len(QUERIES) and found == pytest.approx(metrics.ranking(qrels, run))
    index, ranker = load(place / "search" / "index"), Predictor(trained)
    near = index.search(Predictor(place / "embedder").predictions([QUERIES["1"]]), 7)[0]
    scores = ranker.predictions([(QUERIES["1"], *map(DOCUMENTS.get, near))])[0]
    assert run["1"] == pytest.approx(dict(zip(near, scores, strict=True)), abs=1e-5)


def test_a_place_that_is_taken_is_told_before_anything_is_computed(place, capsys):
    (place / "taken").mkdir(exist_ok=True)
    (place / "taken" / "thesis.txt").write_text("mine")
    words = ["--model", "hf://nobody/nothing", "--data", place, "--out", place / "taken"]
    assert main(["retrieve", *map(str, words)]) == 1
    assert "taken is a folder with other things in it" in capsys.readouterr().err


def test_what_a_search_would_refuse_in_the_end_it_refuses_at_once(place, capsys):
    words = ["--model", "hf://nobody/nothing", "--data", place, "--out", place / "k", "--k", 0]
    assert main(["retrieve", *map(str, words)]) == 1
    assert "k=0" in capsys.readouterr().err


def test_judgements_that_cannot_be_used_can_be_left_out(place, tmp_path, capsys):
    shutil.copytree(place / "collection", tmp_path / "c")
    with open(next((tmp_path / "c").glob("*qrels*")), "a") as file:
        file.write("1 0 nowhere 1\n")
    words = ["retrieve", "--model", place / "embedder", "--data", tmp_path / "c", "--out", tmp_path / "found",
             "--length", 16]
    assert main(list(map(str, words))) == 1
    assert "leave such rows out with --skip-bad-rows" in capsys.readouterr().err
    assert main([*map(str, words), "--skip-bad-rows"]) == 0
    assert "left out 1 of its rows" in capsys.readouterr().err


def test_a_folder_with_a_blank_in_its_name_names_a_run(place):
    knobs = {"model": place / "embedder", "data": place / "collection", "out": place / "my search", "length": 16}
    words = [part for name, value in knobs.items() for part in (f"--{name}", value)]
    assert main(["retrieve", *map(str, words)]) == 0
    assert (place / "my search" / "run.txt").read_text().splitlines()[0].endswith(" my_search")


def test_a_search_replaces_an_earlier_one_and_nothing_else(place, capsys):
    knobs = {"model": place / "embedder", "data": place / "collection", "out": place / "again", "length": 16, "k": 2}
    words = [part for name, value in knobs.items() for part in (f"--{name}", value)]
    assert main(["retrieve", *map(str, words)]) == 0
    assert main(["retrieve", *map(str, words[:-1]), "3"]) == 0
    assert len((place / "again" / "run.txt").read_text().splitlines()) == 3 * len(QUERIES)
    (place / "again" / "index" / "thesis.txt").write_text("mine")
    assert main(["retrieve", *map(str, words)]) == 1
    assert "it holds index/thesis.txt, which bertkit did not write" in capsys.readouterr().err


def test_what_does_not_fit_is_one_sentence(place, capsys):
    assert rank(place, "never", "collection", "--negatives", "0") == 1
    assert "negatives=0 leaves nothing to tell" in capsys.readouterr().err
