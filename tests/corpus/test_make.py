"""A corpus from files: the same bytes however the work is parted and wherever it is done."""

import json
import sys

import pytest

from bertkit.corpus import beam, make
from bertkit.corpus.documents import Selection
from bertkit.corpus.shards import Shards
from bertkit.errors import Error
from tests import tiny


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Return (text files, vocabulary file)."""
    place = tmp_path_factory.mktemp("text")
    (place / "vocab.txt").write_text("".join(f"{entry}\n" for entry in tiny.VOCABULARY))
    paths = []
    for number in range(5):
        paths.append(place / f"{number}.txt")
        texts = tiny.texts(12, number)[0]
        paths[-1].write_text("\n\n".join("\n".join(texts[i:i + 3]) for i in range(0, len(texts), 3)) + "\n")
    return paths, place / "vocab.txt"


def made(given, place, monkeypatch, part_bytes=300, **options):
    place.mkdir()
    monkeypatch.setattr(make, "PART_BYTES", part_bytes)
    return make.make_corpus(*given, place, 24, options.pop("selection", Selection()), **options)


def contents(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_parts_follow_each_other_and_documents_keep_their_own_numbers(given, tmp_path, monkeypatch):
    metadata = made(given, tmp_path / "parts", monkeypatch)
    assert made(given, tmp_path / "again", monkeypatch) == metadata and metadata["documents"] == 20
    assert contents(tmp_path / "parts") == contents(tmp_path / "again")
    assert len({path.name[:11] for path in (tmp_path / "parts").glob("*.tfrecord")}) > 1
    one = made(given, tmp_path / "one", monkeypatch, part_bytes=2**28)
    assert {name: one[name] for name in ("documents", "characters", "tokens")} == {
        name: metadata[name] for name in ("documents", "characters", "tokens")}
    shards = Shards(tmp_path / "parts")
    assert len({shards[i].document for i in range(len(shards))}) == 20


def test_copies_are_found_across_parts(given, tmp_path, monkeypatch):
    paths, vocabulary = given
    metadata = made(([*paths, paths[0]], vocabulary), tmp_path / "out", monkeypatch, selection=Selection(copies=False))
    assert metadata["left_out"]["copies"] >= 4


def test_beam_makes_the_same_bytes(given, tmp_path, monkeypatch):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    monkeypatch.setattr(make, "PART_BYTES", 300)
    made(given, tmp_path / "here", monkeypatch)
    made(given, tmp_path / "there", monkeypatch, run=beam.runner(tmp_path / "there"))
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    paths = [*given[0], tmp_path / "none.txt"]
    with pytest.raises(Error, match=r"none\.txt"):
        made((paths, given[1]), tmp_path / "error", monkeypatch, run=beam.runner(tmp_path / "error"))


def test_without_beam_the_command_that_installs_it_is_said(given, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(Error, match='--beam needs apache-beam, .* pip install "apache-beam>=2'):
        beam.runner(tmp_path)


def test_what_only_one_process_knows_is_refused_elsewhere(given, tmp_path, monkeypatch):
    with pytest.raises(Error, match="Copies are found by one process"):
        made(given, tmp_path / "out", monkeypatch, selection=Selection(copies=False), run=map)


def test_a_part_says_in_json_what_it_found(given, tmp_path):
    found = make.write_part((2, [str(path) for path in given[0]]), str(given[1]), str(tmp_path), 24, Selection(), 0)
    assert json.loads(json.dumps(found)) == found and found["counts"]["documents"] == 20
    assert [shard["file"] for shard in found["shards"]] == ["shard-00002-00000.tfrecord"]
