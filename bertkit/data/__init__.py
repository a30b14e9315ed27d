"""Read files of examples, check them, and make batches of them; turn texts in memory into what `fit()` reads."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

# imported when asked for, because `--help` reads `data.columns` without numpy
_HOMES = {"dataset": "in_memory", "py_dataset": "in_memory",
          "Examples": "readers", "label_indices": "readers", "label_names": "readers", "read_examples": "readers"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.data.in_memory import dataset as dataset
    from bertkit.data.in_memory import py_dataset as py_dataset
    from bertkit.data.readers import Examples as Examples
    from bertkit.data.readers import label_indices as label_indices
    from bertkit.data.readers import label_names as label_names
    from bertkit.data.readers import read_examples as read_examples
else:
    __getattr__ = on_demand(__name__, _HOMES)
