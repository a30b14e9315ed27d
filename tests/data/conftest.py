"""Files to read."""

import pytest


@pytest.fixture
def written(tmp_path):
    """Return a function name, content -> path of a file that holds it."""
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write
