"""What goes into shards comes out, in any order; what is damaged, cut or missing is named."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.corpus import shards
from bertkit.corpus.order import Shuffle
from bertkit.corpus.segments import segments
from bertkit.corpus.vocabulary import learn_vocabulary
from bertkit.errors import Error
from bertkit.text import Tokenizer
from tests import tiny

LENGTH = 12
METADATA = {"length": LENGTH, "vocabulary": {}, "text": []}


def drawn(count=40, seed=0):
    texts = tiny.texts(count * 3, seed)[0]
    return [[f"{a}. {b}!", c] for a, b, c in zip(texts[::3], texts[1::3], texts[2::3], strict=True)]


def cut(documents, length=LENGTH, **options):
    return list(segments(tiny.tokenizer(), documents, length, **options))


@given(st.lists(st.lists(st.text("ab .!", min_size=1, max_size=60), max_size=4), max_size=5), st.integers(5, 40),
       st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_no_token_is_lost_and_none_changes_places(documents, length, short):
    tokenizer, room = tiny.tokenizer(), length - 3
    found = cut(documents, length, short=short)
    for number, document in enumerate(documents):
        own = [segment for segment in found if segment.document == number]
        ids = [i for text in tokenizer.ids(document) for i in text]
        assert np.concatenate([np.zeros(0), *(segment.token_ids for segment in own)]).tolist() == ids
        for segment in own:
            assert 1 <= len(segment.token_ids) <= room and segment.ends[-1] == len(segment.token_ids)
            assert all(len(part) for part in segment.parts) and len(segment.parts) == len(segment.ends)
    assert found == sorted(found, key=lambda segment: segment.document)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_ids_are_those_of_the_paragraph_whatever_parts_its_sentences(tmp_path, kind):
    text = "The cat sat. The dog ran!  Birds sing, 3.5 of them. \u201cWhy?\u201d they asked. No one knew."
    (tmp_path / "a.txt").write_text("\n".join([text] * 60))
    learn_vocabulary([tmp_path / "a.txt"], tmp_path / "out", 300, kind)
    tokenizer = Tokenizer.load(tmp_path / "out")
    found = list(segments(tokenizer, [[text, text]], 40, short=0))
    ids = [i for part in tokenizer.ids([text, text]) for i in part]
    assert np.concatenate([segment.token_ids for segment in found]).tolist() == ids
    assert sum(len(segment.ends) for segment in found) >= 10


def test_segments_are_full_and_a_tenth_of_documents_is_cut_shorter():
    documents = [["Good film. " * 60] for _ in range(400)]
    found = cut(documents, 32)
    targets = np.array([max(len(s.token_ids) for s in found if s.document == number) for number in range(400)])
    full = 29
    assert abs((targets < full).mean() - 0.1 * 27 / 28) < 0.05
    assert [len(s.token_ids) for s in cut(documents[:1], 32, short=0)] == [*([full] * 6), 180 - 6 * full]
    assert [s.token_ids.tolist() for s in cut(documents, 32, seed=1)] != [s.token_ids.tolist() for s in found]


def test_too_short_a_length_is_said():
    with pytest.raises(Error, match="length=4 leaves no room for two tokens of text beside 3 special ones; give 5"):
        cut([["a"]], 4)
    assert cut([["good film"]], 5)
    with pytest.raises(Error, match="seed=-1 came; give 0 or more"):
        cut([["a"]], 5, seed=-1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("shards")
    shards.write_shards(place, iter(cut(drawn())), lambda: METADATA, shard_bytes=1500)
    return place


def test_segments_come_back_in_any_order(folder):
    wanted, found = cut(drawn()), shards.Shards(folder)
    assert len(found) == len(wanted) == found.metadata["segments"] and len(found.metadata["shards"]) > 2
    assert found.metadata["tokens"] == sum(len(segment.token_ids) for segment in wanted)
    for number in np.random.default_rng(0).permutation(len(wanted)).tolist():
        segment = found[number]
        assert segment.token_ids.tolist() == wanted[number].token_ids.tolist()
        assert segment.ends.tolist() == wanted[number].ends.tolist()
        assert segment.document == wanted[number].document
    with pytest.raises(IndexError):
        found[len(wanted)]


@pytest.mark.parametrize("change", [{"shards": []}, {"shards": ["a"]}, {"tokens": None},
                                    {"shards": [{"file": "../x"}]}])
def test_a_manifest_that_says_too_little_is_one_sentence(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path / "shards")
    metadata = json.loads((folder / "manifest.json").read_text()) | change
    (tmp_path / "shards" / "manifest.json").write_text(
        json.dumps({name: value for name, value in metadata.items() if value is not None}))
    with pytest.raises(Error, match="manifest.json does not say"):
        shards.Shards(tmp_path / "shards")


def test_tensorflow_reads_them_too(folder):
    import tensorflow as tf
    paths = sorted(str(path) for path in folder.glob("*.tfrecord"))
    rows = tf.data.TFRecordDataset(paths).map(lambda row: tf.io.parse_single_example(
        row, {"token_ids": tf.io.RaggedFeature(tf.int64)}))
    assert [row["token_ids"].numpy().tolist() for row in rows] == [s.token_ids.tolist() for s in cut(drawn())]


def test_the_same_segments_give_the_same_bytes(folder, tmp_path):
    shards.write_shards(tmp_path, iter(cut(drawn())), lambda: METADATA, shard_bytes=1500)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


@pytest.mark.parametrize("place", [0.0, 0.3, 0.77, 0.999])
def test_a_flipped_bit_is_named_by_file_and_record(folder, tmp_path, place):
    copy = shutil.copytree(folder, tmp_path / "copy")
    shard = copy / "shard-00001.tfrecord"
    content = bytearray(shard.read_bytes())
    at = int(place * len(content))
    content[at] ^= 4
    shard.write_bytes(content)
    ends = np.frombuffer(shard.with_suffix(".index").read_bytes(), "<i8").reshape(-1, 2)[:, 0]
    record = int(np.searchsorted(ends, at, side="right"))
    with pytest.raises(Error, match=rf"shard-00001\.tfrecord: record {record} is damaged"):
        shards.Shards(copy).check()
    shards.Shards(folder).check()


@pytest.mark.parametrize(("kept", "said"), [(0, "record 0 is cut off"), (0.5, r"record \d+ is cut off"),
                                            ("whole records", r"record \d+ is cut off"), (1.2, "it is not the file")])
def test_a_cut_shard_is_named(folder, tmp_path, kept, said):
    copy = shutil.copytree(folder, tmp_path / "copy")
    shard = copy / "shard-00000.tfrecord"
    content = shard.read_bytes()
    ends = np.frombuffer(shard.with_suffix(".index").read_bytes(), "<i8").reshape(-1, 2)[:, 0]
    size = ends[2] if kept == "whole records" else int(kept * len(content))
    shard.write_bytes((content + content)[:size])
    with pytest.raises(Error, match=rf"shard-00000\.tfrecord.*{said}"):
        shards.Shards(copy)


@pytest.mark.parametrize("name", ["shard-00000.tfrecord", "shard-00001.index", "manifest.json"])
def test_a_missing_file_is_named(folder, tmp_path, name):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(Error, match=f"{name} is missing"):
        shards.Shards(copy)


def test_no_text_is_no_corpus(tmp_path):
    with pytest.raises(Error, match="no document"):
        shards.write_shards(tmp_path, iter([]), dict)


@given(st.integers(1, 300), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_shuffle_is_a_permutation_that_its_key_decides(n, key):
    shuffle = Shuffle(n, (key, 0))
    order = [shuffle(i) for i in range(n)]
    assert sorted(order) == list(range(n)) and order == [Shuffle(n, (key, 0))(i) for i in range(n)]


def test_a_shuffle_is_as_random_as_one_that_is_drawn():
    """Where a thing stands, and what comes after it, over 2,000 keys of 8 things."""
    counts, follows = np.zeros((8, 8)), np.zeros((8, 8))
    for key in range(2000):
        shuffle = Shuffle(8, key)
        order = [shuffle(i) for i in range(8)]
        counts[order, range(8)] += 1
        follows[order[:-1], order[1:]] += 1
    # Standard deviations of counts of 1/8 and of 1/8 · 7/8 ... among 2,000 draws are below 15; five of them.
    assert abs(counts - 250).max() < 75 and abs(follows[~np.eye(8, dtype=bool)] - 250).max() < 75
