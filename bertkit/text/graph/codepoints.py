"""A table of all codepoints in TensorFlow, stored by its distinct pages."""

from typing import Any

import numpy as np
import tensorflow as tf

PAGE = 256                                    # codepoints whose rows are stored together


class CodepointRows(tf.Module):
    """A table of all codepoints, stored by its distinct pages.

    A call takes codepoints, int32 [N], and returns their rows, int32 [N, n].

    Args:
        rows: array [0x110000, n], one row for each codepoint.
    """

    def __init__(self, rows: Any):
        super().__init__()
        pages, index = _paged(np.asarray(rows, np.int32))
        self._pages, self._index = tf.constant(pages), tf.constant(index)

    def __call__(self, codes: Any) -> Any:
        """Return the rows of codepoints."""
        return tf.gather(self._pages, tf.gather(self._index, codes // PAGE) * PAGE + codes % PAGE)


def _paged(rows):
    """Return the distinct pages of PAGE rows, as rows again, and the number of every page."""
    numbers = {}
    index = [numbers.setdefault(page.tobytes(), len(numbers))
             for page in rows.reshape(-1, PAGE * rows.shape[1])]
    pages = np.frombuffer(b"".join(numbers), np.int32).reshape(-1, rows.shape[1])
    return pages, np.array(index, np.int32)
