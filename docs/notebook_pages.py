"""A notebook as Markdown: its words, its code, and what its cells printed or drew when it was last run."""

import json

TEXT = "text/plain"


def as_markdown(text):
    """Return the Markdown of a notebook.

    Args:
        text: str. The notebook's JSON, format 4.

    Returns:
        str. Code cells as fenced Python, each followed by its printed outputs.

    >>> cell = {"cell_type": "code", "source": ["1 + 1"],
    ...         "outputs": [{"output_type": "execute_result", "data": {"text/plain": ["2"]}}]}
    >>> print(as_markdown(json.dumps({"cells": [cell]})))
    ```python
    1 + 1
    ```
    <BLANKLINE>
    ```text
    2
    ```
    <BLANKLINE>
    """
    return "\n\n".join(part for cell in json.loads(text)["cells"] for part in _parts(cell)) + "\n"


def _parts(cell):
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [source]
    printed = "".join(_printed(output) for output in cell["outputs"]).strip()
    return [f"```python\n{source}\n```"] + ([f"```text\n{printed}\n```"] if printed else [])


def _printed(output):
    """Return what an output says as text; pictures and the error stream are left out."""
    if output["output_type"] == "stream":
        return "".join(output["text"]) if output["name"] == "stdout" else ""
    return "".join(output.get("data", {}).get(TEXT, [])) + "\n"
