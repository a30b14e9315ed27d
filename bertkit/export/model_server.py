"""What TensorFlow ModelServer reads beside a SavedModel: requests to warm up with, batching, a compose file."""

import sys
from pathlib import Path
from types import ModuleType

import tensorflow as tf

from bertkit.errors import Error
from bertkit.files.atomic import write_text
from bertkit.version import VERSION

WARM_UP = "assets.extra/tf_serving_warmup_requests"     # the path that ModelServer looks for
# A stock server links the kernels of TensorFlow and of TensorFlow Text (SUPPORTED_TENSORFLOW_OPS in its
# model_servers/BUILD), so these are all that a file may use.
LIBRARIES = ("tensorflow", "tensorflow_text")
LARGEST_BATCH = 32

BATCHING = """\
# Requests that arrive within two milliseconds are computed together. Texts are joined as strings and padded inside the
# graph, so an answer does not depend on its neighbours.
max_batch_size {{ value: {batch} }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 100 }}
num_batch_threads {{ value: 2 }}
"""

COMPOSE = """\
# docker compose up, in this folder. Then:
#   curl -d '{{"instances": {example}}}' http://localhost:8501/v1/models/{name}:predict
# Written by bertkit {version} with TensorFlow {tensorflow}: a server of an older TensorFlow may refuse the file.
services:
  {name}:
    image: tensorflow/serving:${{SERVING:-latest}}
    command:
      - --model_name={name}{batching}
    volumes:
      - .:/models/{name}/1:ro
    ports:
      - "8500:8500"   # gRPC
      - "8501:8501"   # REST
"""


def write_server_files(place: Path, name: str, inputs: dict[str, int], requests: list[dict[str, list]]) -> None:
    """Write what a server reads beside a SavedModel: requests to warm up with, batching.config and compose.yaml.

    Requests are batched only where each input is a list of strings, since rows of other lengths cannot be joined.

    Args:
        place: The folder of the SavedModel.
        name: The name under which the server offers the model.
        inputs: {name of an input of serving_default: its rank}.
        requests: For each request {name of an input: nested lists of strings}.
    """
    (place / WARM_UP).parent.mkdir()
    with tf.io.TFRecordWriter(str(place / WARM_UP)) as writer:
        for request in requests:
            writer.write(prediction_log(name, request))
    joined = all(rank == 1 for rank in inputs.values())
    if joined:
        write_text(place / "batching.config", BATCHING.format(batch=LARGEST_BATCH))
    flags = f"\n      - --enable_batching\n      - --batching_parameters_file=/models/{name}/1/batching.config"
    write_text(place / "compose.yaml", COMPOSE.format(
        name=name, version=VERSION, tensorflow=tf.__version__, batching=flags if joined else "",
        example=_instances(inputs)))


def _instances(inputs):
    """Return the instances of the example, as JSON; one input alone goes without its name."""
    values = {name: '"a text"' if rank == 1 else '["an ending", "another"]' for name, rank in inputs.items()}
    if len(values) == 1:
        return f"[{values.popitem()[1]}]"
    return "[{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}]"


def prediction_log(name: str, request: dict[str, list]) -> bytes:
    """Return a request as a serialized `tensorflow.serving.PredictionLog`, which is a record of a warm-up file.

    The numbers of the fields are those of prediction_log.proto, predict.proto and model.proto of TensorFlow Serving,
    whose package is not needed for so little.

    Args:
        name: The name of the model.
        request: {name of an input: nested lists of strings}.

    Returns:
        The bytes of the message.
    """
    spec = _field(1, name.encode()) + _field(3, b"serving_default")
    inputs = b"".join(
        _field(2, _field(1, key.encode()) + _field(2, tf.make_tensor_proto(values, tf.string).SerializeToString()))
        for key, values in sorted(request.items()))
    return _field(6, _field(1, _field(1, spec) + inputs))


def _field(number, content):
    """Return a field of a protocol buffer whose content is bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value):
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def operations(place: Path) -> dict[str, list[str]]:
    """Return the operations that the graphs of a SavedModel use, by the library that has them.

    Args:
        place: The folder of the SavedModel.

    Returns:
        {library: sorted names of operations}.

    Raises:
        Error: When an operation is neither of TensorFlow nor of TensorFlow Text: a stock server would not load it.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    saved = SavedModel.FromString((place / "saved_model.pb").read_bytes())
    found: dict[str, set[str]] = {library: set() for library in LIBRARIES}
    for graph in (meta.graph_def for meta in saved.meta_graphs):
        defined = {function.signature.name for function in graph.library.function}
        nodes = [node for part in (graph.node, *(one.node_def for one in graph.library.function)) for node in part]
        for name in {node.op for node in nodes} - defined:
            found[_library_of(name)].add(name)
    return {library: sorted(names) for library, names in found.items() if names}


def _library_of(name):
    if hasattr(tf.raw_ops, name):
        return "tensorflow"
    if any(hasattr(module, name) for module in _modules_of_text_operations()):
        return "tensorflow_text"
    raise Error(f"The SavedModel uses the operation {name}, which is neither of TensorFlow nor of TensorFlow Text, so "
                "no stock server would load it; report it.")


def _modules_of_text_operations():
    """Return the generated modules of TensorFlow Text, each with a function of the name of each of its operations."""
    rooms = [module for name, module in sys.modules.items() if name.startswith("tensorflow_text.")]
    return [part for room in rooms for name, part in vars(room).items()
            if name.startswith("gen_") and isinstance(part, ModuleType)]
