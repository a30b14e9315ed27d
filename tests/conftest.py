"""Fixtures that every test may use."""

import gc
import os
import sys
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")     # several test processes may share a GPU
for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")                       # tiny tensors: threads only wait for each other

hypothesis.settings.register_profile("bertkit", deadline=None)     # a busy machine is no fault of an example
hypothesis.settings.load_profile("bertkit")

collect_ignore_glob = ["*/conftest.py"]     # of one name: --doctest-modules takes one for another


@pytest.fixture(scope="module", params=["eager", pytest.param("graph", marks=pytest.mark.slow)])
def steps(request):
    """Take training steps one operation after the other; with -m slow also as graphs.

    Of a tiny model, a dozen steps cost less than the graph of one. Fixtures that train name this one before others.
    """
    import tensorflow as tf
    tf.config.run_functions_eagerly(request.param == "eager")
    yield request.param
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def eager(request):
    """Run functions one operation after the other, but in tests that are marked `graph`."""
    import tensorflow as tf
    tf.config.run_functions_eagerly(not request.node.get_closest_marker("graph"))
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", autouse=True)
def _garbage_is_collected():
    """Let go of graphs and garbage of a file that left much: in a heap so large Python hardly ever looks for them."""
    before = _resident_bytes()
    yield
    if "keras" in sys.modules and _resident_bytes() > before + 200e6:
        sys.modules["keras"].backend.clear_session()
        gc.collect()


def _resident_bytes():
    statm = Path("/proc/self/statm")                            # of Linux; elsewhere Python looks by itself
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


@pytest.fixture(scope="session")
def shared():
    """Return a function path -> existing file or folder of the data beside the checkout, or skip."""
    root = Path(__file__).resolve().parents[1].parent / "shared"

    def find(path):
        if not (root / path).exists():
            pytest.skip(f"needs the sample data beside the checkout: {path}")
        return root / path

    return find


def pytest_collection_modifyitems(config, items):
    """Take steps as graphs alone in tests that are slow in any case."""
    def is_twice(item):
        steps = item.callspec.params.get("steps") if hasattr(item, "callspec") else None
        return steps == "eager" and item.get_closest_marker("slow")

    twice = [item for item in items if is_twice(item)]
    items[:] = [item for item in items if not is_twice(item)]
    config.hook.pytest_deselected(items=twice)


def pytest_runtest_setup(item):
    """Leave out tests that take minutes or make environments, unless -m slow asks for them."""
    if item.get_closest_marker("slow") and "slow" not in item.config.option.markexpr:
        pytest.skip("run with -m slow")
