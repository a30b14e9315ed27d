"""Make the golden files of torch.save; needs torch, not bertkit.

    python tests/golden/make_torch.py

Writes next to this file

    torch/zip.bin         what torch.save writes today
    torch/stream.bin      the same tensors as it wrote them before version 1.6
    torch/protocol4.bin   the same with a newer pickle
    torch/module.bin      a module's state_dict (with its _metadata) and a Parameter, under "state_dict"
    torch/expected.npz    the tensors' values; bfloat16, which numpy lacks, widened to float32

The files are committed: this script is how they came to be.
"""

from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "torch"
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
          torch.int8, torch.uint8, torch.bool)


def tensors():
    """Return {name: tensor}: every dtype, and every way to look at a storage."""
    torch.manual_seed(5)
    values = 100 * torch.randn(3, 4)
    matrix = torch.randn(4, 6)
    found = {f"dtype.{str(dtype).removeprefix('torch.')}": values.abs().to(dtype) for dtype in DTYPES}
    found["dtype.bool"] = values > 0
    return found | {
        "matrix": matrix, "tied": matrix, "transposed": matrix.T, "rows": matrix[1:3], "columns": matrix[:, 2:5],
        "steps": matrix[::2, 1::3], "element": matrix[2, 3], "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 6),
        "cube": torch.randn(2, 3, 4).permute(2, 0, 1), "position_ids": torch.arange(5).expand((1, -1)),
        "gradient": torch.randn(3, requires_grad=True)}


def values(tensor):
    """Return a tensor as numpy holds it."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def main():
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    found, module = tensors(), torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    torch.save(found, FOLDER / "zip.bin")
    torch.save(found, FOLDER / "stream.bin", _use_new_zipfile_serialization=False)
    torch.save(found, FOLDER / "protocol4.bin", pickle_protocol=4)
    state = module.state_dict()
    state["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    torch.save({"epoch": 3, "state_dict": state}, FOLDER / "module.bin")
    expected = {name: values(tensor) for name, tensor in (found | dict(state)).items()}
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()
