"""How a process of bertkit keeps the memory that it has freed."""

import ctypes
import os
import sys

# glibc's mallopt: no allocation by mmap, no giving back at the end of the heap, one heap for all threads.
NEVER_MAPPED, NEVER_TRIMMED, ONE_HEAP = (-4, 0), (-1, 2**31 - 1), (-8, 1)


def keep_freed_memory() -> bool:
    """Keep freed memory for the next step instead of giving it back to the system.

    glibc takes each tensor over 32 MB from the kernel and gives it back, every step, and the kernel clears it page by
    page: half of the time of a small encoder with a large vocabulary (decision 0014). The setting holds for the whole
    process, so commands and recipes call this function, and `import bertkit` does not. It does nothing without glibc,
    or where a variable whose name begins with MALLOC_ is set.

    Returns:
        Whether freed memory is kept now.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(*option) for option in (NEVER_MAPPED, NEVER_TRIMMED, ONE_HEAP))
