"""Loops over columns as machine code: the only module that knows numba.

A kernel is a plain function over arrays with one fixed signature, compiled when it
is first called and kept on disk. Where machine code cannot be made it runs as Python,
slowly and with the same answers. Data, keys above all, reach kernels as arguments
only: a constant would be written into the kept code.

Kept code is renewed when its own source file changes, so a kernel uses nothing of
another module: what it needs from there is an argument.
"""

import mmap
from collections.abc import Callable
from functools import cache, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

try:
    from llvmlite import binding
    from numba import config, njit, types
except (ImportError, SystemError):  # built for another Python or numpy
    _HAS_NUMBA = False
else:
    _HAS_NUMBA = True

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Kernel(Generic[_P, _R]):
    """A function that is compiled at its first call; safe to share between threads."""

    def __init__(self, function: Callable[_P, _R], arguments: tuple[str, ...]) -> None:
        self.plain = function
        self._arguments = arguments
        self._ready: Callable[_P, _R] | None = None
        update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run, outside the interpreter lock if compiled."""
        if self._ready is None:
            self._ready = self._compile() if can_compile() else self.plain
        return self._ready(*args, **kwargs)

    def _compile(self) -> Callable[_P, _R]:
        signature = tuple(_read_type(text) for text in self._arguments)
        try:
            return self._compile_kept(signature)
        except RuntimeError:  # no folder to keep it in may be written
            compiled: Callable[_P, _R] = njit(signature, nogil=True)(self.plain)
            return compiled

    def _compile_kept(self, signature: tuple[object, ...]) -> Callable[_P, _R]:
        make = njit(signature, nogil=True, cache=True)
        compiled: Callable[_P, _R] = make(self.plain)
        return compiled


def compiled(*arguments: str) -> Callable[[Callable[_P, _R]], Kernel[_P, _R]]:
    """Make a function a kernel.

    Args:
        arguments: One a parameter: ``int64`` or a numpy type with the number of
            dimensions, as in ``int32[1]``, with ``in`` before it where the array is
            only read. Arrays are contiguous.
    """

    def make(function: Callable[_P, _R]) -> Kernel[_P, _R]:
        return Kernel(function, arguments)

    return make


@cache
def can_compile() -> bool:
    """Return whether this process may run code that it has made."""
    if not _HAS_NUMBA or config.DISABLE_JIT:  # type: ignore[attr-defined] # set at run time
        return False
    everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    try:
        # Where this is forbidden (SELinux, systemd's MemoryDenyWriteExecute), LLVM
        # would end the process rather than say so.
        mmap.mmap(-1, mmap.PAGESIZE, prot=everything).close()
    except OSError:
        return False
    return True


def declare_external(name: str, pointers_and_sizes: int) -> Any:
    """Return a C function that kernels may call, ``int name(size_t or void *, ...)``.

    ``register_external`` must have said where it is before a kernel that calls it
    is compiled or loaded: LLVM ends a process that lacks a symbol.
    """
    if not _HAS_NUMBA:
        return None
    return types.ExternalFunction(name, types.intc(*[types.uintp] * pointers_and_sizes))


def register_external(name: str, address: int) -> None:
    """Say where a C function is."""
    binding.add_symbol(name, address)


def view_texts(
    texts: pa.StringArray,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return where each text of a column begins and ends (n + 1), and the bytes."""
    _, offsets_buffer, data_buffer = texts.buffers()
    if not len(texts) or offsets_buffer is None:
        return np.zeros(1, np.int32), np.empty(0, np.uint8)
    offsets = np.frombuffer(offsets_buffer, np.int32)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    if data_buffer is None:
        return np.require(offsets, requirements="A"), np.empty(0, np.uint8)
    data = np.frombuffer(data_buffer, np.uint8)
    return np.require(offsets, requirements="A"), data


def _read_type(text: str) -> object:
    """Read ``int64``, ``uint8[2]`` or ``in uint8[1]``."""
    name, _, dimensions = text.removeprefix("in ").rstrip("]").partition("[")
    element = getattr(types, name)
    if not dimensions:
        return element
    return types.Array(element, int(dimensions), "C", readonly=text.startswith("in "))
