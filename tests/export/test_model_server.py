"""What a TensorFlow ModelServer reads beside a SavedModel."""

import json

import pytest
import tensorflow as tf

from bertkit.errors import Error
from bertkit.export import model_server, saved_model
from bertkit.export.model_server import operations, prediction_log, write_server_files
from tests.recorded import GOLDEN

LOGS = json.loads((GOLDEN / "prediction_logs.json").read_text())


@pytest.mark.parametrize("one", LOGS, ids=["text", "pairs", "endings"])
def test_a_request_is_written_as_servings_own_package_writes_it(one):
    assert prediction_log("films", one["request"]).hex() == one["message"]


def test_the_file_of_requests_holds_each(tmp_path):
    requests = [one["request"] for one in LOGS[:2]]
    write_server_files(tmp_path, "films", {"text": 1, "second": 1}, requests)
    found = [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / model_server.WARM_UP))]
    assert found == [prediction_log("films", request) for request in requests]
    compose = (tmp_path / "compose.yaml").read_text()
    assert '{"instances": [{"text": "a text", "second": "a text"}]}' in compose
    assert "--batching_parameters_file=/models/films/1/batching.config" in compose
    assert "max_batch_size { value: 32 }" in (tmp_path / "batching.config").read_text()


def test_rows_that_cannot_be_joined_are_not_batched(tmp_path):
    write_server_files(tmp_path, "films", {"text": 1, "endings": 2}, [LOGS[2]["request"]])
    assert "batching" not in (tmp_path / "compose.yaml").read_text() and not (tmp_path / "batching.config").exists()


@pytest.mark.parametrize("out, name", [("served", "served"), ("my model/v 1.0", "v_1_0"), ("é", "model")])
def test_a_server_can_say_the_name(out, name):
    assert saved_model._server_name(out) == name


def _saved(folder, compute):
    module = tf.Module()
    module.answer = tf.function(compute, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(folder))
    return folder


def test_operations_are_named_by_their_library(tmp_path):
    import tensorflow_text
    found = operations(_saved(tmp_path, lambda text: tensorflow_text.case_fold_utf8(tf.strings.strip(text))))
    assert "StringStrip" in found["tensorflow"] and found["tensorflow_text"] == ["CaseFoldUTF8"]


def test_an_operation_of_another_library_is_refused(tmp_path, monkeypatch):
    import tensorflow_text
    folder = _saved(tmp_path, tensorflow_text.case_fold_utf8)
    monkeypatch.setattr(model_server, "_modules_of_text_operations", list)
    with pytest.raises(Error, match="operation CaseFoldUTF8, which is neither of TensorFlow nor"):
        operations(folder)
