"""The metadata of a .tflite that MediaPipe reads: what its tensors are, and the files behind it.

The tables and the numbers of their fields are those of MediaPipe's metadata_schema.fbs, version 1.5.0.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.export import flatbuffer

NAME, IDENTIFIER, PARSER = "TFLITE_METADATA", b"M001", "1.5.0"
VOCABULARY_FILE, LABELS_FILE, CARD_FILE = "vocab.txt", "labels.txt", "card.json"
# What MediaPipe calls the tensors; in the file they keep bertkit's names.
INPUTS = {"token_ids": ("ids", "Numbers of the text's pieces in vocab.txt."),
          "padding_mask": ("mask", "1 for each piece."), "segment_ids": ("segment_ids", "0 for each piece.")}
# AssociatedFileType, ContentProperties and ProcessUnitOptions of the schema.
DESCRIPTIONS, LABELS, VOCABULARY = 1, 2, 5
FEATURES, THRESHOLD, BERT_TOKENIZER = 1, 3, 4
ALIGNED = 16            # bytes, as the converter aligns buffers
EARLIEST = (1980, 1, 1, 0, 0, 0)        # so that the same export gives the same bytes


class Byte(int):
    """A number that the schema keeps in one byte."""


def describe(name: str, description: str, inputs: Sequence[str], output: str, labels: bool,
             threshold: float | None = None) -> bytes:
    """Return the metadata of a model.

    Args:
        name: The name of the model.
        description: What it is, for a person.
        inputs: bertkit's names of the inputs, in the order of the file.
        output: The name of the output.
        labels: Whether labels.txt names the numbers of the output.
        threshold: What MediaPipe gives is at least so probable; None where it gives every label.

    Returns:
        A flatbuffer of the type ModelMetadata.
    """
    content = {0: Byte(FEATURES), 1: {}}
    vocabulary = _file(VOCABULARY_FILE, "An entry a line, in the order of the numbers.", VOCABULARY)
    given: dict[int, Any] = {0: output, 3: content}
    if labels:
        given[6] = [_file(LABELS_FILE, "A label a line, in the order of the numbers.", LABELS)]
    if threshold is not None:
        given[4] = [{0: Byte(THRESHOLD), 1: {0: threshold}}]
    tensors = [{0: INPUTS[one][0], 1: INPUTS[one][1], 3: content} for one in inputs]
    graph = {0: name, 2: tensors, 3: [given], 5: [{0: Byte(BERT_TOKENIZER), 1: {0: [vocabulary]}}]}
    card = _file(CARD_FILE, "bertkit's card: what the model is and what was measured.", DESCRIPTIONS)
    return _written({0: name, 1: description, 3: [graph], 6: [card], 7: PARSER})


def _file(name, description, kind):
    return {0: name, 1: description, 2: Byte(kind)}


def _written(value):
    from flatbuffers import Builder
    builder = Builder(1024)
    builder.Finish(_put(builder, value), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _put(builder, value):
    """Write a text, a list, or a table {number of a field: value}; return where it lies."""
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, list):
        places = [_put(builder, one) for one in value]
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return builder.EndVector()
    fields = {slot: one if isinstance(one, Byte | float) else _put(builder, one) for slot, one in value.items()}
    builder.StartObject(max(fields, default=-1) + 1)
    for slot, one in fields.items():
        add = (builder.PrependInt8Slot if isinstance(one, Byte) else builder.PrependFloat32Slot
               if isinstance(one, float) else builder.PrependUOffsetTRelativeSlot)
        add(slot, one, 0)
    return builder.EndObject()


def with_metadata(content: bytes, metadata: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a .tflite with its metadata inside, and files in a zip behind it, not compressed.

    Args:
        content: The .tflite.
        metadata: What `describe` returned.
        files: {name: content}.

    Returns:
        The file that MediaPipe opens; LiteRT opens it as well.
    """
    from ai_edge_litert import schema_py_generated as schema
    model = flatbuffer.read(content)
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = NAME, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    graph = flatbuffer.written(model)
    whole = io.BytesIO(graph + bytes(-len(graph) % ALIGNED))
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name, inside in files.items():
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), inside)
    return whole.getvalue()


def input_names(content: bytes) -> list[str]:
    """Return bertkit's names of the inputs of a .tflite with one signature, in the order of its graph.

    Args:
        content: The .tflite.

    Returns:
        Names such as "token_ids".

    Raises:
        Error: When the file has not one graph whose inputs are int32 [1, any].
    """
    model = flatbuffer.read(content)
    if len(model.subgraphs) != 1 or len(model.signatureDefs) != 1:
        raise Error(f"The converted file has {len(model.subgraphs)} graphs, and MediaPipe reads one; report it.")
    (graph,) = model.subgraphs
    named = {one.tensorIndex: one.name.decode() for one in model.signatureDefs[0].inputs}
    shapes = [flatbuffer.shape_of(graph.tensors[place]) for place in graph.inputs]
    if shapes != [[1, -1]] * len(INPUTS) or {named.get(place) for place in graph.inputs} != INPUTS.keys():
        raise Error(f"The converted file takes {', '.join(named.values())} of the shapes {shapes}, and MediaPipe gives "
                    f"{', '.join(INPUTS)} of [1, any]; report it.")
    return [named[place] for place in graph.inputs]
