"""How the C library keeps and returns the memory of batches, which are megabytes.

Left alone, glibc asks the kernel for each large buffer anew and gives it back at
once: at 6 MB a batch, a seventh of a stream's processor time was spent on zeroed
pages. Buffers are kept instead, and what lies unused is returned every few seconds.
Elsewhere than with glibc there is nothing to call, and nothing is called.
"""

import ctypes
from typing import Final

import pyarrow as pa

_M_TRIM_THRESHOLD: Final = -1  # from glibc's malloc.h, as mallopt(3) documents them
_M_MMAP_THRESHOLD: Final = -3
_LARGEST_KEPT: Final = 32 << 20
_KEPT_UNUSED: Final = 512 << 20


def keep_large_buffers() -> None:
    """Have freed buffers of up to 32 MB used again; call it once, at the start."""
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        tune(_M_TRIM_THRESHOLD, _KEPT_UNUSED)


def release_unused_memory() -> None:
    """Return freed memory of Arrow's pool and of the C library to the system."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
