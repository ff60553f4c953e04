"""Loops over columns as machine code: the only module that knows numba.

A kernel is a plain function over arrays with one fixed signature, compiled when it
is first called and kept on disk. numba itself is imported then, too: most commands
run no kernel, and it takes longer to import than they do to answer. Where machine code
cannot be made, a kernel runs as Python, slowly and with the same answers. Data, keys
above all, reach kernels as arguments only: a constant would be written into the kept
code.

Kept code is renewed when its own source file changes, so a kernel uses nothing of
another module: what it needs from there is an argument.
"""

import mmap
from collections.abc import Callable, Mapping
from functools import cache, update_wrapper
from types import FunctionType, MappingProxyType
from typing import Any, Generic, ParamSpec, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Kernel(Generic[_P, _R]):
    """A function that is compiled at its first call; safe to share between threads."""

    def __init__(
        self,
        function: Callable[_P, _R],
        arguments: tuple[str, ...],
        externals: Mapping[str, tuple[str, int]],
    ) -> None:
        self.plain = function
        self._arguments = arguments
        self._externals = externals
        self._ready: Callable[_P, _R] | None = None
        update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run, outside the interpreter lock if compiled."""
        if self._ready is None:
            self._ready = self._compile() if can_compile() else self.plain
        return self._ready(*args, **kwargs)

    def _compile(self) -> Callable[_P, _R]:
        signature = tuple(_read_type(text) for text in self._arguments)
        function, njit = self._bind_externals(), _import_numba().njit
        try:
            kept: Callable[_P, _R] = njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # no folder to keep it in may be written
            passing: Callable[_P, _R] = njit(signature, nogil=True)(function)
            return passing
        return kept

    def _bind_externals(self) -> Callable[_P, _R]:
        """Return the function with its C functions under their names."""
        if not self._externals:
            return self.plain
        plain = cast("FunctionType", self.plain)
        names = {
            name: _declare_external(*external)
            for name, external in self._externals.items()
        }
        bound = FunctionType(plain.__code__, {**plain.__globals__, **names})
        bound.__module__, bound.__qualname__ = plain.__module__, plain.__qualname__
        return cast("Callable[_P, _R]", bound)


def compiled(
    *arguments: str, externals: Mapping[str, tuple[str, int]] = MappingProxyType({})
) -> Callable[[Callable[_P, _R]], Kernel[_P, _R]]:
    """Make a function a kernel.

    Args:
        arguments: One a parameter: ``int64`` or a numpy type with the number of
            dimensions, as in ``int32[1]``, with ``in`` before it where the array is
            only read. Arrays are contiguous.
        externals: The C functions that it calls, by their name in the function:
            ``int symbol(size_t or void *, ...)``, as the symbol and the number of
            its arguments. ``register_external`` must have said where a symbol is
            before the kernel is first called: LLVM ends a process that lacks one.
    """

    def make(function: Callable[_P, _R]) -> Kernel[_P, _R]:
        return Kernel(function, arguments, externals)

    return make


@cache
def can_compile() -> bool:
    """Return whether this process may run code that it has made."""
    numba = _import_numba()
    if numba is None or numba.config.DISABLE_JIT:
        return False
    everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    try:
        # Where this is forbidden (SELinux, systemd's MemoryDenyWriteExecute), LLVM
        # would end the process rather than say so.
        mmap.mmap(-1, mmap.PAGESIZE, prot=everything).close()
    except OSError:
        return False
    return True


def register_external(name: str, address: int) -> None:
    """Say where a C function is; ``can_compile`` must have answered yes."""
    from llvmlite import binding  # noqa: PLC0415 - as numba

    binding.add_symbol(name, address)


@cache
def _import_numba() -> Any:
    try:
        import numba  # noqa: PLC0415 - see the module's first lines
    except (ImportError, SystemError):  # built for another Python or numpy
        return None
    return numba


def _declare_external(symbol: str, arguments: int) -> object:
    types = _import_numba().types
    return types.ExternalFunction(symbol, types.intc(*[types.uintp] * arguments))


def view_texts(
    texts: pa.StringArray,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return where each text of a column begins and ends (n + 1), and the bytes."""
    _, offsets_buffer, data_buffer = texts.buffers()
    if not len(texts) or offsets_buffer is None:
        return np.zeros(1, np.int32), np.empty(0, np.uint8)
    ends = texts.offset + len(texts) + 1  # a buffer may have any bytes after them
    offsets = np.frombuffer(offsets_buffer, np.int32, ends)[texts.offset :]
    if data_buffer is None:
        return np.require(offsets, requirements="A"), np.empty(0, np.uint8)
    data = np.frombuffer(data_buffer, np.uint8)
    return np.require(offsets, requirements="A"), data


def _read_type(text: str) -> object:
    """Read ``int64``, ``uint8[2]`` or ``in uint8[1]``."""
    name, _, dimensions = text.removeprefix("in ").rstrip("]").partition("[")
    types = _import_numba().types
    element = getattr(types, name)
    if not dimensions:
        return element
    return types.Array(element, int(dimensions), "C", readonly=text.startswith("in "))
