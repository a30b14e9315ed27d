"""What MediaPipe's own tokenizer finds: a model that returns its ids as an embedding tells them.

    python make_mediapipe.py        # needs mediapipe 1.2.3 and ai-edge-litert 2.3.0; writes mediapipe.json beside it
"""

import io
import json
import random
import zipfile
from importlib import metadata
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as lite
from ai_edge_litert.tools import flatbuffer_utils
from mediapipe.tasks.metadata import metadata_schema_py_generated as schema
from mediapipe.tasks.python import BaseOptions, text

NAMES = ("ids", "segment_ids", "mask")
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789",
              *"éäöüßñçøžİıσςдж中国語!?.,'-–—",
              "the", "river", "##s", "##er", "##é", "caf", "cafe", "café", "évening", "evening", "στ", "##ος",
              "[", "]", "##中", "##", "##a", "a", "über", "uber", "##ß", "मन", "##े", "ไทย", "##ไ"]
PARTS = ["the ", "rivers", "café", "CAFÉ", "e\u0301", "É", "ß", "Über", "İ", "ΟΔΟΣ", "στος", "\u00a0", "\u3000",
         "\u2028", "\t", "\n", "\x0b", "\x1f", "\u0085", "\u200b", "\u00ad", "\ufeff", "\ufffd", "中国", "語",
         "\U0002b820", "\U0002b920", "\U00030000", "—", "¡", "§", "€", "$", "^", "`", "[CLS]", "[MASK]", "don't",
         "\u061d", "\u166d", "\u2e5d", "मने", "ไทย" * 12,
         "a" * 100, "a" * 101, "é" * 51, " ", "", "x\0y", "\U0001f600", "q9"]


def probe():
    """Return the .tflite: float32 [1,T] of the ids, int32 [1,T]; the two other inputs are not read."""
    model, graph, code, cast = lite.ModelT(), lite.SubGraphT(), lite.OperatorCodeT(), lite.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = lite.BuiltinOperator.CAST
    code.version = 1
    kinds = [*[lite.TensorType.INT32] * len(NAMES), lite.TensorType.FLOAT32]
    graph.tensors = [tensor(kind, name) for kind, name in zip(kinds, (*NAMES, "embedding"), strict=True)]
    graph.inputs, graph.outputs = np.arange(3, dtype=np.int32), np.array([3], np.int32)
    cast.inputs, cast.outputs = np.array([0], np.int32), np.array([3], np.int32)
    cast.builtinOptionsType, cast.builtinOptions = lite.BuiltinOptions.CastOptions, lite.CastOptionsT()
    graph.operators = [cast]
    content, entry = lite.BufferT(), lite.MetadataT()
    content.data, entry.name, entry.buffer = np.frombuffer(described(), np.uint8), "TFLITE_METADATA", 1
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    model.buffers, model.metadata = [lite.BufferT(), content], [entry]
    whole = io.BytesIO(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("vocab.txt", "".join(entry + "\n" for entry in VOCABULARY))
    return whole.getvalue()


def tensor(kind, name):
    made = lite.TensorT()
    made.shape, made.shapeSignature = np.array([1, 1], np.int32), np.array([1, -1], np.int32)
    made.type, made.name, made.buffer = kind, name, 0
    return made


def described():
    model, graph, unit, options, file = (getattr(schema, f"{name}T")() for name in (
        "ModelMetadata", "SubGraphMetadata", "ProcessUnit", "BertTokenizerOptions", "AssociatedFile"))
    file.name, file.type, options.vocabFile = "vocab.txt", schema.AssociatedFileType.VOCABULARY, [file]
    unit.optionsType, unit.options = schema.ProcessUnitOptions.BertTokenizerOptions, options
    graph.inputTensorMetadata, graph.outputTensorMetadata = [about(name) for name in NAMES], [about("embedding")]
    graph.inputProcessUnits, model.subgraphMetadata, model.minParserVersion = [unit], [graph], "1.5.0"
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def about(name):
    made = schema.TensorMetadataT()
    made.name = name
    return made


def main():
    draw = random.Random(7)
    texts = [*PARTS, *("".join(draw.choices(PARTS, k=draw.randint(2, 5))) for _ in range(250))]
    options = text.TextEmbedderOptions(base_options=BaseOptions(model_asset_buffer=probe()))
    embedder = text.TextEmbedder.create_from_options(options)
    rows = [[one, [int(number) for number in embedder.embed(one).embeddings[0].embedding]] for one in texts]
    found = {"mediapipe": metadata.version("mediapipe"), "vocabulary": VOCABULARY, "rows": rows}
    Path(__file__).with_name("mediapipe.json").write_text(json.dumps(found, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
