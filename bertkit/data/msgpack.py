"""The values of a file in MessagePack, read within bounds: plain data alone, nothing that runs."""

import struct
from typing import Any

_DEEPEST = 32           # lists and maps inside each other
_NUMBERS = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i",
            0xd3: ">q"}
# The first byte of what has a length: (its kind, the bytes of the length).
_LONG = {0xc4: ("bytes", 1), 0xc5: ("bytes", 2), 0xc6: ("bytes", 4), 0xd9: ("text", 1), 0xda: ("text", 2),
         0xdb: ("text", 4), 0xdc: ("list", 2), 0xdd: ("list", 4), 0xde: ("map", 2), 0xdf: ("map", 4)}


def unpack(content: bytes) -> Any:
    r"""Return the one value that bytes hold (https://github.com/msgpack/msgpack/blob/master/spec.md).

    No length is believed: a list is not made before its parts are read, and so takes no more memory than the bytes ask.

    Args:
        content: The bytes.

    Returns:
        None, a bool, a number, a str, bytes, or a list or dict of these.

    Raises:
        ValueError: when they are not one such value; also for extensions, which each program reads in its own way.

    >>> unpack(b"\x82\xa1a\x01\xa1b\x92\xc3\xc4\x01x")
    {'a': 1, 'b': [True, b'x']}
    """
    reader = _Reader(content)
    value = reader.value(0)
    if reader.place != len(content):
        raise ValueError(f"{len(content) - reader.place} bytes are left over")
    return value


class _Reader:
    def __init__(self, content):
        self.content, self.place = content, 0

    def take(self, count):
        """Return the next bytes."""
        if count > len(self.content) - self.place:
            raise ValueError(f"it ends at byte {len(self.content)}, within a value")
        self.place += count
        return self.content[self.place - count:self.place]

    def value(self, depth):
        """Return the next value."""
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} lists stand inside each other")
        first = self.take(1)[0]
        if first < 0x80 or first >= 0xe0:
            return first if first < 0x80 else first - 256
        if first in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[first]
        if form := _NUMBERS.get(first):
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        kind, count = self.length(first)
        return getattr(self, kind)(count, depth + 1)

    def length(self, first):
        """Return (the kind of what has a length, the length)."""
        if first < 0xc0:
            return ("map", first & 15) if first < 0x90 else ("list", first & 15) if first < 0xa0 else (
                "text", first & 31)
        if first not in _LONG:
            raise ValueError(f"the byte {first:#04x} begins no plain value")
        kind, size = _LONG[first]
        return kind, int.from_bytes(self.take(size))

    def bytes(self, count, depth):
        """Return bytes."""
        return self.take(count)

    def text(self, count, depth):
        """Return a text."""
        return self.take(count).decode("utf-8")

    def list(self, count, depth):
        """Return a list."""
        return [self.value(depth) for _ in range(count)]

    def map(self, count, depth):
        """Return a dict whose keys are texts or numbers."""
        found = {}
        for _ in range(count):
            key = self.value(depth)
            if not isinstance(key, str | int | float | type(None)):
                raise ValueError(f"a key is no text and no number ({key!r:.40})")
            found[key] = self.value(depth)
        return found
