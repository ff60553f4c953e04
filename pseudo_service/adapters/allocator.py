"""Giving memory back: long-lived processes keep what their allocators once took."""

import ctypes

import pyarrow as pa


def release_unused_memory() -> None:
    """Return freed memory of Arrow's pool and of the C library to the system.

    Batches come and go in megabytes; without this a process stays as large as its
    busiest moment. ``malloc_trim`` is glibc's; elsewhere there is nothing to call.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
