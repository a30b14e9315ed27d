"""The precompiled character map of a SentencePiece model, which says what strings become.

Source: Kudo and Richardson 2018 (arXiv 1808.06226, section 3.2). The bytes are a length, a double-array trie of that
many bytes (Yata's darts-clone: units of 32 bits with label, leaf flag and offset) and the texts, each ended by a 0.
"""

import numpy as np

from bertkit.errors import Error

CLUSTER = 6                                   # bytes from which on a grapheme cluster is not looked up as a whole
LARGEST = 1 << 15                             # beginnings of one length; nmt_nfkc has some 7,000


def charsmap(content: bytes) -> dict[str, str]:
    """Return the entries of a precompiled character map.

    Only entries of fewer than CLUSTER bytes are read, because longer ones never match a text.

    Args:
        content: bytes of the map; empty for no map.

    Returns:
        A dict {text: what it becomes}.

    Raises:
        Error: when the bytes are not a whole map.
    """
    if not content:
        return {}
    size = int.from_bytes(content[:4], "little")
    if len(content) < 4 or size % 4 or 4 + size > len(content) or not size:
        raise Error(f"The precompiled character map has {len(content)} bytes, which is not what its head says; "
                    "copy the tokenizer's files again.")
    units, texts = np.frombuffer(content[4:4 + size], "<u4"), content[4 + size:]
    try:
        return {key.decode(): _text(texts, value) for key, value in _entries(units)}
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise Error(f"The precompiled character map is damaged ({error}); copy the tokenizer's files again.") from None


def _text(texts, begin):
    """Return the text that begins at a byte and ends before the next 0."""
    return texts[begin:texts.index(b"\0", begin)].decode()


def _entries(units):
    """Yield (key, value) of the trie, level by level."""
    labels, keys, nodes = np.arange(1, 256), [b""], _follow(np.zeros(1, np.int64), units)
    for _ in range(CLUSTER - 1):
        places = nodes[:, None] ^ labels
        parent, label = np.nonzero(units[np.minimum(places, len(units) - 1)] & 0x800000FF == labels)
        inside = places[parent, label] < len(units)
        parent, label = parent[inside], label[inside]
        if len(parent) > LARGEST:
            raise ValueError(f"more than {LARGEST} beginnings of {len(keys[0]) + 1} bytes")
        reached = units[places[parent, label]]
        keys = [keys[i] + bytes([c + 1]) for i, c in zip(parent.tolist(), label.tolist(), strict=True)]
        nodes = _follow(places[parent, label], units)
        leaves = np.flatnonzero(reached >> 8 & 1)
        yield from zip([keys[i] for i in leaves], (units[nodes[leaves]] & 0x7FFFFFFF).tolist(), strict=True)


def _follow(places, units):
    """Return the nodes that the units at these places lead to."""
    unit = units[places].astype(np.int64)
    return places ^ (unit >> 10 << ((unit & 1 << 9) >> 6))
