"""An index on disk: its vectors, its ids, their sizes and SHA-256; nothing in it is executed.

    folder/vectors.safetensors   the vectors, float32 [N,D]
    folder/index.json            format, kind, similarity, ids, and the file's size and SHA-256
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as safetensors_bytes

from bertkit.errors import Error
from bertkit.files import manifest, schema
from bertkit.files.atomic import read_json, write_bytes, write_json
from bertkit.files.bounded import check_regular
from bertkit.retrieval.exact import ExactIndex
from bertkit.retrieval.nearest import FaissIndex

FORMAT = 1
VECTORS, METADATA = "vectors.safetensors", "index.json"
KINDS: dict[str, Any] = {kind.kind: kind for kind in (ExactIndex, FaissIndex)}
SHAPE = {"format": schema.Choice(FORMAT), "kind": schema.Choice(*KINDS), "ids": [str], "files": manifest.FILES,
         "similarity": schema.Maybe(str), "factory": schema.Maybe(str)}


def save(folder: str | Path, index: ExactIndex | FaissIndex) -> None:
    """Write an index; the file that describes it is written last.

    Args:
        folder: the folder, which is made where it is missing.
        index: the index.

    Raises:
        Error: when the folder cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(folder, ExactIndex(["sea", "sun"], [[1.0, 0.0], [0.0, 1.0]]))
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['index.json', 'vectors.safetensors']
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / METADATA).unlink(missing_ok=True)
        write_bytes(folder / VECTORS, safetensors_bytes({"vectors": index.vectors}))
    except OSError as error:
        raise Error(f"{folder} cannot be written ({error.strerror}); choose another place.") from None
    options = {"factory": index.factory} if isinstance(index, FaissIndex) else {}
    write_json(folder / METADATA, {"format": FORMAT, "kind": index.kind, "similarity": index.similarity, **options,
                                "ids": index.ids, "files": manifest.describe(folder, (VECTORS,))}, signed=True)


def load(folder: str | Path) -> ExactIndex | FaissIndex:
    """Read an index that `save` wrote.

    Args:
        folder: the folder.

    Returns:
        The index.

    Raises:
        Error: when a file is missing, has changed or does not fit the others.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(folder, ExactIndex(["sea", "sun"], [[1.0, 0.0], [0.0, 1.0]]))
        ...     load(folder).search([[0.0, 2.0]], k=1)
        [{'sun': 1.0}]
    """
    folder = Path(folder)
    metadata = read_json(folder / METADATA, SHAPE, signed=True, advice="make the index again")
    manifest.check(folder, metadata["files"], (VECTORS,))
    options = {name: metadata[name] for name in ("similarity", "factory") if name in metadata}
    schema.check(options, schema.arguments(KINDS[metadata["kind"]], ("ids", "vectors")), folder / METADATA,
                 "make the index again")
    return KINDS[metadata["kind"]](metadata["ids"], _vectors(folder / VECTORS, len(metadata["ids"])), **options)


def _vectors(path, count):
    """Return the vectors of a file whose header says that they are float32 [count,D]."""
    check_regular(path)
    try:
        with safe_open(path, framework="np") as file:
            if list(file.keys()) != ["vectors"]:
                raise Error(f"{path} holds {', '.join(file.keys()) or 'nothing'}; wanted vectors.")
            part = file.get_slice("vectors")
            if part.get_dtype() != "F32" or len(part.get_shape()) != 2 or part.get_shape()[0] != count:
                raise Error(f"{path} holds {part.get_dtype()} {part.get_shape()}; wanted F32 [{count}, D], a row for "
                            "each id.")
            return file.get_tensor("vectors")
    except SafetensorError as error:
        raise Error(f"{path} is not a whole safetensors file ({error}); make the index again.") from None
