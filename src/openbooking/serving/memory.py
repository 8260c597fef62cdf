"""Memory settings of a process that serves: glibc's allocator and the garbage collector."""

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # the constants of malloc.h
_TRIM_OVER = 64 * 2**20
_MAP_OVER = 32 * 2**20
_YOUNG_OBJECTS = 10_000


def tune_memory() -> None:
    """Tune glibc and the garbage collector for many short requests and pages of a megabyte.

    Call this function after the application is loaded. glibc then keeps freed memory for the next page, instead of
    returning the memory to the operating system. The garbage collector ignores the loaded application, and runs less
    often.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_OVER)
        mallopt(_MMAP_THRESHOLD, _MAP_OVER)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
