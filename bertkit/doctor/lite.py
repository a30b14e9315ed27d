"""A .tflite as a function of a batch, with LiteRT alone: rows one by one, padded to its length."""

from pathlib import Path

import numpy as np

from bertkit.doctor.exports import Export, input_names, output_names, table_sizes
from bertkit.errors import Error
from bertkit.requirements import missing

TABLES = ("GATHER", "EMBEDDING_LOOKUP")


def opened(path: Path) -> Export:
    """Open a .tflite.

    Args:
        path: The file.

    Returns:
        The `Export`.

    Raises:
        Error: When LiteRT is not installed, or the file takes no token ids.
    """
    interpreter = _interpreter(path)
    interpreter.allocate_tensors()
    inputs = {tensor["name"]: tensor for tensor in interpreter.get_input_details()}
    outputs = {tensor["name"]: tensor for tensor in interpreter.get_output_details()}
    signature = next(iter(interpreter.get_signature_list()), None)
    if signature is not None:
        runner = interpreter.get_signature_runner(signature)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
    names = input_names(inputs, path)
    length = int(inputs[names["token_ids"]]["shape"][1])

    def row(batch, i):
        for ours, theirs in names.items():
            value = np.zeros((1, length), inputs[theirs]["dtype"])
            value[0, :np.shape(batch[ours])[1]] = batch[ours][i]
            interpreter.set_tensor(inputs[theirs]["index"], value)
        interpreter.invoke()
        return {name: _real(interpreter.get_tensor(tensor["index"]), tensor) for name, tensor in outputs.items()}

    def call(batch):
        tokens = np.shape(batch["token_ids"])[1]
        if tokens > length:
            raise Error(f"{path.name} takes {length} tokens a row, and {tokens} came.")
        rows = [row(batch, i) for i in range(len(batch["token_ids"]))]
        found, _ = output_names({name: np.concatenate([each[name] for each in rows]) for name in outputs}, length)
        return {name: value[:, :tokens] if np.ndim(value) == 3 else value for name, value in found.items()}

    tensors, operations = interpreter.get_tensor_details(), getattr(interpreter, "_get_ops_details", list)()
    return Export(call, frozenset(names), length, {**_sizes(tensors, operations), "max_position_embeddings": length},
                  _precision(tensors), "probabilities" in outputs, (interpreter, tensors, operations))


def _interpreter(path):
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise missing("ai-edge-litert", "A .tflite file") from None
    try:
        return Interpreter(model_path=str(path), experimental_preserve_all_tensors=False)
    except (ValueError, RuntimeError) as error:
        raise Error(f"{path} is no model that LiteRT can run ({str(error).splitlines()[0]}); export it "
                    f"again.") from None


def _real(values, tensor):
    """Return the numbers that an output of integers stands for."""
    scale, zero = tensor["quantization"]
    return values if values.dtype.kind == "f" or not scale else (values.astype(np.float32) - zero) * np.float32(scale)


def _precision(tensors):
    """Return what the file computes in, by its tensors of two dimensions and more."""
    kinds = {np.dtype(tensor["dtype"]).name for tensor in tensors if len(tensor["shape"]) >= 2}
    return "int8" if "int8" in kinds else "float16" if "float16" in kinds else "float32"


def _sizes(tensors, operations):
    """Return the sizes that the tables show which are looked up."""
    by_index = {tensor["index"]: tensor for tensor in tensors}
    tables = {int(operation["inputs"][0]) for operation in operations if operation["op_name"] in TABLES}
    found = [(by_index[i]["name"], tuple(map(int, by_index[i]["shape"]))) for i in sorted(tables)
             if i in by_index and len(by_index[i]["shape"]) == 2]
    return table_sizes(found)
