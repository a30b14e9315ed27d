"""What the libraries of the field computed, recorded by tests/golden/make_metrics.py."""

import json

import pytest

from tests.recorded import GOLDEN


@pytest.fixture(scope="session")
def recorded():
    """Return {"entities", "ranking", "generation", "agreement", "squad"}."""
    return json.loads((GOLDEN / "metrics.json").read_text(encoding="ascii"))
