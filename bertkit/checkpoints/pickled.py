"""A pickle as plain values, read by our own few rules: nothing that it names is ever imported or called.

A pickle is a program for a stack machine (PEP 307). A mapping of tensors needs thirty of its instructions, and of
the instruction that calls a function only calls of a few names that the reader gives and that are functions of ours.
All else is refused. Memory and time are bounded by the length of the pickle: nothing is hashed but text and numbers,
nothing is followed in depth, nothing is copied.
"""

import pickletools
from collections.abc import Callable
from types import FunctionType
from typing import Any, BinaryIO

from bertkit.errors import Error

# A pickled tensor takes 25 steps, so this is 40,000 tensors.
MOST_STEPS = 2**20
# Numbers are keys in an optimizer's state, which may stand beside the weights; larger ones could all have one hash.
LARGEST_KEY = 2**32
_MARK = object()


def unpickle(stream: BinaryIO, names: dict[str, Any], persistent: Callable[[Any], Any]) -> Any:
    """Return the value of the next pickle in a stream, which is left at the byte after it.

    Args:
        stream: A binary stream.
        names: {"module.name": stand-in}, all that the pickle may name; only a stand-in that is a function may be
            called.
        persistent: Function that turns the content of a persistent id into a value.

    Returns:
        The value.

    Raises:
        Error: When the pickle is damaged or holds anything else; the caller adds the name of the file.
    """
    machine = _Machine(names, persistent)
    try:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if opcode.name == "STOP":
                return machine.stack.pop()
            if step == MOST_STEPS:
                raise Error(f"its pickle has more than {MOST_STEPS} steps, which no checkpoint needs.")
            if opcode.name not in _RULES:
                said = f" {argument:.80}" if type(argument) is str else ""
                raise Error(f"its pickle holds the instruction {opcode.name}{said}, which tensors do not need; "
                            "nothing was executed, and the file is refused.")
            _RULES[opcode.name](machine, argument)
    except (ValueError, TypeError, LookupError) as error:
        raise Error(f"its pickle is damaged ({str(error):.80}); copy the file again.") from None


class _Machine:
    """The machine's stack, and its memo: values that are kept to be used again."""

    def __init__(self, names, persistent):
        self.stack, self.memo, self.names, self.persistent = [], {}, names, persistent

    def push(self, value):
        self.stack.append(value)

    def marked(self):
        """Take off, in order, what was pushed since the last mark, and the mark."""
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def taken(self, count):
        """Take the upper `count` values off, in order."""
        return [self.stack.pop() for _ in range(count)][::-1]

    def name(self, *parts):
        dotted = ".".join(parts)                         # raises unless all are text
        if dotted not in self.names:
            raise Error(f"it asks for {dotted:.80}, which tensors do not need; nothing was executed, and the file "
                        "is refused.")
        self.push(self.names[dotted])

    def remember(self, place):
        self.memo[len(self.memo) if place is None else place] = self.stack[-1]

    def extend(self, items):
        self.target(list).extend(items)

    def insert(self, items):
        target = self.target(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            plain = type(key) is str or type(key) is int and 0 <= key < LARGEST_KEY
            if not plain or key in target:
                raise Error("its pickle holds a mapping with a key twice, or with one that is neither text nor a small "
                            "number; the file is refused.")
            target[key] = value

    def target(self, kind):
        if type(self.stack[-1]) is not kind:
            raise TypeError(f"no {kind.__name__} to fill")
        return self.stack[-1]

    def call(self):
        function, arguments = self.taken(2)
        if not isinstance(function, FunctionType) or type(arguments) is not tuple:
            raise TypeError("a call of what is no function")
        self.push(function(*arguments))

    def forget_state(self):
        """Drop what would be set on an object: on a state dict, the versions of its modules."""
        self.stack.pop()
        self.target(dict)


def _ignored(machine, argument):
    """Do nothing: a note for another reader."""


_RULES = {
    **dict.fromkeys(("PROTO", "FRAME"), _ignored),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
                     "BINSTRING", "SHORT_BINSTRING"), _Machine.push),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": lambda machine, _: machine.push(_MARK),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.marked())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.taken(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.taken(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.taken(3))),
    "APPEND": lambda machine, _: machine.extend(machine.taken(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.marked()),
    "SETITEM": lambda machine, _: machine.insert(machine.taken(2)),
    "SETITEMS": lambda machine, _: machine.insert(machine.marked()),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, place: machine.push(machine.memo[place])),
    "GLOBAL": lambda machine, asked: machine.name(*asked.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name(*machine.taken(2)),
    "BINPERSID": lambda machine, _: machine.push(machine.persistent(machine.stack.pop())),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.forget_state(),
}
