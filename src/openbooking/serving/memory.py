"""How memory is managed in a process that serves: for many short requests, and pages of a megabyte."""

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # their numbers in malloc.h
_TRIM_OVER = 64 * 2**20
_MAP_OVER = 32 * 2**20
_YOUNG_OBJECTS = 10_000


def suit_memory_to_serving() -> None:
    """For a process that has loaded its application.

    Let glibc reuse what it would otherwise unmap after each page, and fault in again for the next; and let the garbage
    collector neither look at what is loaded, nor interrupt every request.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_OVER)
        mallopt(_MMAP_THRESHOLD, _MAP_OVER)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
