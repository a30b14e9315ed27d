"""Change JSON files of bertkit's as someone would who also writes the right checksum beside it."""

import json

from bertkit.files.schema import SUM, signed


def change(path, /, **changes):
    """Change keys of a file; its checksum is that of the new content."""
    write(path, {**json.loads(path.read_text()), **changes})


def write(path, values):
    """Write an object with its checksum, if it had one."""
    rest = {name: value for name, value in values.items() if name != SUM}
    path.write_text(json.dumps(signed(rest) if SUM in values else rest))
