"""A process that keeps its memory asks the kernel for a large array once."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from bertkit import memory

def faults(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        np.full(20_000_000, 1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(memory.keep_freed_memory() if KEPT else "as it is")
faults(1)
print(faults(5))
"""


def said(kept, **variables):
    done = subprocess.run([sys.executable, "-c", f"KEPT = {kept}\n{PROGRAM}"], capture_output=True, text=True,
                          check=True, env={"PATH": "", **variables})
    return done.stdout.split("\n")[:2]


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives memory back like that")
def test_large_arrays_come_from_the_memory_that_the_process_has_had():
    answer, faults = said(kept=True)
    if answer != "True":
        pytest.skip("this C library has no mallopt")
    assert int(faults) < 100 < int(said(kept=False)[1])                     # 5 arrays of 39,000 pages


def test_a_user_who_sets_malloc_up_is_left_alone():
    assert said(kept=True, MALLOC_ARENA_MAX="4")[0] == "False"
