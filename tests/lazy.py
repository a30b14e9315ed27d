"""Models that several tests of a file read, each built when the first test asks for it."""

import functools
from collections.abc import Mapping


class Lazy(Mapping):
    """{name: make(name)}: the names are known at once, a value is made once, when it is first read.

    Tests may be parametrised by the names. A model built while tests are collected costs every worker of `make test`
    its time, also the workers that run none of the file's tests.
    """

    def __init__(self, make, names):
        self._make, self._names = functools.cache(make), tuple(names)

    def __getitem__(self, name):
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)
