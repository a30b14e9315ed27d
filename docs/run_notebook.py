"""Run the notebook of the tutorials and keep its outputs, which the site shows: `python docs/run_notebook.py`."""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "tutorials" / "notebook.ipynb"


def run(path, folder):
    """Return a notebook, run in `folder` from first to last cell, with what its cells print, but for the error stream.

    Args:
        path: The notebook.
        folder: Where its cells read and write files.

    Raises:
        CellExecutionError: If a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}},
                   record_timing=False).execute()
    for cell in notebook.cells:         # warnings name files of this machine
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


if __name__ == "__main__":
    notebook = Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK
    with tempfile.TemporaryDirectory() as work:
        nbformat.write(run(notebook, work), notebook)
