"""A folder is written whole or not at all, and replaces nothing that bertkit did not write."""

import errno
import json
import shutil

import pytest

from bertkit.errors import Error
from bertkit.files import folders as files


def fill(folder, *names, **contents):
    """Write files into a folder, empty ones by name, JSON by keyword (bundle for bundle.json)."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    for name, value in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


def bundle(folder):
    fill(folder, "card.json", "vocab.txt", "weights.safetensors", "logs/events.out.tfevents.1.host.2.v2")
    return fill(folder, bundle={"files": {"card.json": {}, "vocab.txt": {}, "weights.safetensors": {}}})


def phone(folder):
    fill(folder, "card.json", "model.tflite", "vocab.txt", "labels.txt", "ladder.html")
    return fill(folder, ondevice={"files": {"model.tflite": {}, "vocab.txt": {}, "labels.txt": {}}})


def saved_model(folder):
    return fill(folder, "card.json", "saved_model.pb", "fingerprint.pb", "variables/variables.index",
                "variables/variables.data-00000-of-00001", "assets/vocab.model")


def huggingface(folder):
    fill(folder, "card.json", "model.safetensors", "tokenizer_config.json", "tokenizer.json", "vocab.txt")
    return fill(folder, config={})


def search(folder):
    fill(folder, "index/vectors.safetensors", "run.txt", scores={})
    return fill(folder, **{"index/index": {"files": {"vectors.safetensors": {}}}})


def corpus(folder):
    fill(folder, "shard-00000-00000.tfrecord", "shard-00000-00000.index")
    return fill(folder, manifest={"shards": [{"file": "shard-00000-00000.tfrecord"}]})


KINDS = [bundle, phone, saved_model, huggingface, search, corpus]


@pytest.mark.parametrize("kind", KINDS)
def test_what_bertkit_wrote_is_replaced(tmp_path, kind):
    folder = kind(tmp_path / "out")
    (folder / "an empty folder").mkdir()
    with files.new_folder(folder, kind.__name__) as place:
        fill(place, "new.txt")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["out", "out/new.txt"]


@pytest.mark.parametrize("foreign", [
    "notes.txt", "phone/model.tflite", "logs/notes.txt", "variables/notes.txt", ".git/HEAD", "model.onnx", "*",
    "deep/er/still.txt"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_somebody_put_there_stays(tmp_path, kind, foreign):
    folder = fill(kind(tmp_path / "out"), foreign)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Error) as caught, files.new_folder(folder, kind.__name__) as place:
        fill(place, "new.txt")
    assert f"holds {foreign}, which bertkit did not write there" in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("foreign", ["model.safetensors", "tokenizer.json", "variables/variables.index", "config.txt"])
def test_what_belongs_to_another_kind_of_folder_stays(tmp_path, foreign):
    with pytest.raises(Error, match=f"holds {foreign}"):
        files.check_replaceable(fill(bundle(tmp_path / "out"), foreign), "bundle")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", [None, *KINDS])
def test_nothing_replaces_a_folder_of_another_kind(tmp_path, kind, other):
    kind(tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    if other is kind:
        files.check_replaceable(tmp_path / "out", kind.__name__)
        return
    with pytest.raises(Error, match="out is a folder with other things in it; choose a new --out"):
        files.check_replaceable(tmp_path / "out", other and other.__name__)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_checkpoint_that_came_from_elsewhere_is_not_replaced(tmp_path):
    (huggingface(tmp_path / "out") / "card.json").unlink()
    with pytest.raises(Error, match="with other things in it"):
        files.check_replaceable(tmp_path / "out", "huggingface")


def test_a_manifest_names_files_and_no_patterns(tmp_path):
    folder = fill(bundle(tmp_path / "out"), "notes.txt", bundle={"files": {"*": {}, "card.json": {}}})
    with pytest.raises(Error, match="which bertkit did not write there"):
        files.check_replaceable(folder, "bundle")
    for damaged in ({}, {"files": ["notes.txt"]}, {"files": None}):
        fill(folder, bundle=damaged)
        with pytest.raises(Error, match="holds notes.txt"):
            files.check_replaceable(folder, "bundle")
    (folder / "bundle.json").write_text("{")
    with pytest.raises(Error, match="is not JSON"):
        files.check_replaceable(folder, "bundle")


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "thesis").mkdir()
    folder = bundle(tmp_path / "out")
    (folder / "link").symlink_to(tmp_path / "thesis")
    with pytest.raises(Error, match="holds link"):
        files.check_replaceable(folder, "bundle")


def test_what_comes_while_the_new_one_is_made_stays(tmp_path):
    folder = bundle(tmp_path / "out")
    with pytest.raises(Error, match="holds phone/model.tflite"), files.new_folder(folder, "bundle") as place:
        fill(place, "new.txt")
        fill(folder, "phone/model.tflite")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (folder / "vocab.txt").exists()


def test_a_full_disk_is_one_sentence(tmp_path):
    """shutil gathers what went wrong in a list of tuples."""
    fill(tmp_path / "logs", "events", "more")

    def full(source, target, **_):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    with pytest.raises(Error) as caught, files.new_folder(tmp_path / "out") as place:
        shutil.copytree(tmp_path / "logs", place / "logs", copy_function=full)
    assert str(caught.value).count("No space left on device") == 1 and "[(" not in str(caught.value)
    assert f"Writing {tmp_path / 'out'} failed" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
