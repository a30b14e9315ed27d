"""Where a checkpoint may be: a folder, hf://owner/name, a preset's name; offline, all without a network."""

import pytest

from bertkit import checkpoints
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.text import Tokenizer
from tests.recorded import GOLDEN


def test_the_hub_gives_a_folder_and_only_data_is_asked_for(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(name, allow_patterns):
        asked.append((name, allow_patterns))
        return str(GOLDEN / "bert_tiny_erf")

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert isinstance(checkpoints.load("hf://google-bert/bert-tiny"), Encoder)
    (name, patterns), = asked
    assert name == "google-bert/bert-tiny"
    assert {pattern.rsplit(".", 1)[1] for pattern in patterns} == {"json", "safetensors", "txt", "model"}


def test_without_a_network_the_hub_says_what_to_do(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(*_, **__):
        raise LocalEntryNotFoundError("no connection, and nothing in the cache")

    monkeypatch.setattr(hub, "snapshot_download", offline)
    with pytest.raises(Error, match="hf://a/b is not in the cache .* run `hf download a/b --local-dir DIR`"):
        checkpoints.load("hf://a/b")


def test_a_refusal_of_the_hub_is_told(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    from huggingface_hub.errors import HfHubHTTPError

    def refuses(*_, **__):
        error = HfHubHTTPError.__new__(HfHubHTTPError)
        error.args = ("401 Client Error\nRepository Not Found",)
        raise error

    monkeypatch.setattr(hub, "snapshot_download", refuses)
    with pytest.raises(Error, match="The hub refused hf://a/b: "):
        checkpoints.load("hf://a/b")


@pytest.mark.parametrize("address", ["hf://", "hf://owner", "hf:///name", "hf://owner/", "hf://a/b/c"])
def test_an_address_has_an_owner_and_a_name(address):
    with pytest.raises(Error, match="is no address of a checkpoint; wanted hf://owner/name"):
        checkpoints.load(address)


def test_an_address_with_strange_letters(monkeypatch):
    pytest.importorskip("huggingface_hub")
    with pytest.raises(Error, match="hf://a b/c.* is no address of a checkpoint"):
        checkpoints.load("hf://a b/c")


def test_a_preset_comes_by_its_published_name(monkeypatch):
    import kagglehub
    asked = []
    monkeypatch.setattr(kagglehub, "model_download",
                        lambda handle: asked.append(handle) or str(GOLDEN / "bert_tiny_preset"))
    assert isinstance(checkpoints.load("bert_tiny_en_uncased"), Encoder)
    assert isinstance(checkpoints.load("kaggle://keras/bert/keras/bert_tiny_en_uncased/3"), Encoder)
    assert asked[0].startswith("keras/bert/keras/bert_tiny_en_uncased")
    assert asked[1] == "keras/bert/keras/bert_tiny_en_uncased/3"


def test_without_a_network_a_preset_says_what_to_do(monkeypatch):
    import kagglehub

    def offline(_):
        raise ConnectionError("no route")

    monkeypatch.setattr(kagglehub, "model_download", offline)
    with pytest.raises(Error, match=r"bert_tiny_en_uncased could not be downloaded \(ConnectionError\)"):
        checkpoints.load("bert_tiny_en_uncased")


def test_a_name_that_nobody_published():
    with pytest.raises(Error, match="bert_gigantic is neither a folder nor a published preset"):
        checkpoints.load("bert_gigantic")


def test_a_folder_that_is_not_there(tmp_path):
    for path in (tmp_path / "nowhere", "some/where"):
        with pytest.raises(Error, match="does not exist; give a checkpoint folder"):
            checkpoints.load(path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model.bin").write_text("")
    with pytest.raises(Error, match="is a file; give the checkpoint's folder"):
        checkpoints.load(tmp_path / "model.bin")


def test_a_folder_without_a_checkpoint(tmp_path):
    with pytest.raises(Error, match="holds no checkpoint: no bundle.json .*config.json .*bert_config.json"):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("options, message", [
    ({"part": "decoder"}, 'part=\'decoder\' is unknown; .* has encoder'),
    ({"activation": "gelu"}, "activation='gelu' is unknown; bertkit has gelu_erf")])
def test_what_load_takes(options, message):
    with pytest.raises(Error, match=message):
        checkpoints.load(GOLDEN / "bert_tiny_erf", **options)


# ------------------------------------------------------------------------ the tokenizer of an address


def ids(tokenizer):
    return [encoding.ids for encoding in tokenizer.encode(["The quick brown fox, unhappily."])]


def test_a_tokenizer_comes_along():
    tokenizer = Tokenizer.load(checkpoints.DEFAULT)
    assert ids(tokenizer) == ids(Tokenizer.load(checkpoints.local_folder(checkpoints.DEFAULT)))
    with pytest.raises(Error, match="bertkit://klingon does not ship with bertkit; there is bertkit://english"):
        Tokenizer.load("bertkit://klingon")


def test_a_tokenizer_of_the_hub_asks_for_no_weights(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    monkeypatch.setattr(hub, "snapshot_download", lambda name, allow_patterns: asked.append(
        (name, allow_patterns)) or str(GOLDEN / "bert_tiny_erf"))
    assert ids(Tokenizer.load("hf://google-bert/bert-tiny")) == ids(Tokenizer.load(GOLDEN / "bert_tiny_erf"))
    (name, patterns), = asked
    assert name == "google-bert/bert-tiny" and "vocab.txt" in patterns
    assert not [pattern for pattern in patterns if "safetensors" in pattern or pattern.endswith(".bin")]


def test_a_tokenizer_of_a_preset_comes_by_its_published_name(monkeypatch):
    import kagglehub
    monkeypatch.setattr(kagglehub, "model_download", lambda handle: str(GOLDEN / "bert_tiny_preset"))
    assert ids(Tokenizer.load("bert_tiny_en_uncased")) == ids(Tokenizer.load(GOLDEN / "bert_tiny_preset"))
    with pytest.raises(Error, match="roberta_base_en is neither a folder nor a published preset"):
        Tokenizer.load("roberta_base_en")


@pytest.mark.parametrize("name", ["vocab.txt", "spiece.model", "some/where"])
def test_a_vocabulary_that_is_not_there(name):
    with pytest.raises(Error, match=f"{name} does not exist; give a checkpoint folder"):
        Tokenizer.load(name)
