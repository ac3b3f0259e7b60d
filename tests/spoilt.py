"""Wrong arguments, and the messages about them: the rows that the tables of mistakes share.

`test_mistakes.py`, `test_binding.py`, `ocean/mistakes.py` and `bench/bindings/mistakes.py` have the tables. Each adds rows.
"""

import array
import ctypes
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Spoilt:
    """One way to spoil an array, and the exception for it.

    Args:
        spoil: what is given in place of an array.
        error: the exception.
        expected: in the words of the message; "" stands for the type and the shape.
        got: how the message goes on. {type}: the name of the array's own type; {shape}: the shape of what was given.
    """

    spoil: Callable[[np.ndarray], Any]
    error: type[Exception]
    expected: str = ""
    got: str = ""

    def message(self, name: str, good: np.ndarray, expected: str) -> str:
        """A pattern for the message about that argument. expected: its type and shape."""
        shape = np.shape(self.spoil(good.copy())) if "{shape}" in self.got else ()
        got = self.got.replace("{type}", good.dtype.name).replace("{shape}", str(shape))
        return "^" + re.escape(f"{name}: expected {self.expected or expected}, got {got}")


def gaps(a: np.ndarray) -> np.ndarray:
    """The same type and shape, but every second row of a larger array."""
    return np.zeros((2 * len(a), *a.shape[1:]), a.dtype)[::2]


def read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


def released(a: np.ndarray) -> memoryview:
    view = memoryview(a)
    view.release()
    return view


def unaligned(a: np.ndarray) -> np.ndarray:
    return np.frombuffer(bytearray(a.nbytes + 1), a.dtype, a.size, 1).reshape(a.shape)


def retyped(dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda a: a.astype(dtype)


NO_ARRAY, WRITABLE = "an array of numbers", "a writable array"
IN_ORDER, ALIGNED = "a C-contiguous array", "an array aligned to its element size"
READ_ONLY, GAPS = "a read-only one", "one with gaps or another order"

SPOILT = {
    "list": Spoilt(lambda a: a.tolist(), TypeError, NO_ARRAY, "list"),
    "tuple": Spoilt(lambda a: tuple(a.tolist()), TypeError, NO_ARRAY, "tuple"),
    "None": Spoilt(lambda a: None, TypeError, NO_ARRAY, "NoneType"),
    "address": Spoilt(lambda a: a.ctypes.data, TypeError, NO_ARRAY, "int"),
    "str": Spoilt(lambda a: "array", TypeError, NO_ARRAY, "str"),
    "generator": Spoilt(lambda a: (x for x in a), TypeError, NO_ARRAY, "generator"),
    "class": Spoilt(lambda a: np.ndarray, TypeError, NO_ARRAY, "type"),
    "released": Spoilt(released, TypeError, NO_ARRAY, "memoryview"),
    "datetime": Spoilt(lambda a: a.astype("i8").astype("M8[s]"), TypeError, NO_ARRAY, "ndarray"),
    "bytes": Spoilt(bytes, ValueError, WRITABLE, READ_ONLY),
    "read_only": Spoilt(read_only, ValueError, WRITABLE, READ_ONLY),
    "read_only_view": Spoilt(lambda a: memoryview(a).toreadonly(), ValueError, WRITABLE, READ_ONLY),
    "broadcast": Spoilt(lambda a: np.broadcast_to(a[:1], a.shape), ValueError, WRITABLE, READ_ONLY),
    "scalar": Spoilt(lambda a: a.dtype.type(0), ValueError, WRITABLE, READ_ONLY),
    "gaps": Spoilt(gaps, ValueError, IN_ORDER, GAPS),
    "gaps_view": Spoilt(lambda a: memoryview(gaps(a)), ValueError, IN_ORDER, GAPS),
    "backwards": Spoilt(lambda a: a[::-1], ValueError, IN_ORDER, GAPS),
    "float64": Spoilt(retyped("f8"), ValueError, got="float64 {shape}"),
    "float32": Spoilt(retyped("f4"), ValueError, got="float32 {shape}"),
    "float16": Spoilt(retyped("f2"), ValueError, got="float16 {shape}"),
    "longdouble": Spoilt(retyped("g"), ValueError, got="float"),  # of as many bits as the machine has
    "complex": Spoilt(retyped("c8"), ValueError, got="format 'Zf' {shape}"),
    "int64": Spoilt(retyped("i8"), ValueError, got="int64 {shape}"),
    "int32": Spoilt(retyped("i4"), ValueError, got="int32 {shape}"),
    "uint16": Spoilt(retyped("u2"), ValueError, got="uint16 {shape}"),
    "uint32": Spoilt(retyped("u4"), ValueError, got="uint32 {shape}"),
    "swapped": Spoilt(lambda a: a.astype("f4").astype(">f4"), ValueError, got="byte-swapped float32 {shape}"),
    "object": Spoilt(retyped("O"), ValueError, got="format 'O' {shape}"),
    "structured": Spoilt(retyped("f4,f4"), ValueError, got="format 'T{f:f0:f:f1:}' {shape}"),
    "empty_struct": Spoilt(lambda a: np.zeros(len(a), []), ValueError, got="format 'T{}' ("),
    "text": Spoilt(retyped("S4"), ValueError, got="format '4s' {shape}"),
    "unicode": Spoilt(retyped("U1"), ValueError, got="format"),
    "void": Spoilt(lambda a: np.zeros(a.shape, "V4"), ValueError, got="format"),
    "masked_float64": Spoilt(lambda a: np.ma.masked_all(a.shape, "f8"), ValueError, got="float64 {shape}"),
    "short": Spoilt(lambda a: a[:-1], ValueError, got="{type} {shape}"),
    "long": Spoilt(lambda a: np.concatenate([a, a[:1]]), ValueError, got="{type} {shape}"),
    "half": Spoilt(lambda a: a[: len(a) // 2], ValueError, got="{type} {shape}"),
    "empty": Spoilt(lambda a: a[:0], ValueError, got="{type} {shape}"),
    "no_columns": Spoilt(lambda a: np.zeros((len(a), 0), a.dtype), ValueError, got="{type} {shape}"),
    "two_columns": Spoilt(lambda a: np.zeros((len(a), 2, a[0].size), a.dtype), ValueError, got="{type} {shape}"),
    "0-d": Spoilt(lambda a: np.zeros((), a.dtype), ValueError, got="{type} ()"),
    "leading_1": Spoilt(lambda a: a[None], ValueError, got="{type} {shape}"),
    "many_d": Spoilt(lambda a: np.zeros((len(a), *[1] * 30, 3), a.dtype), ValueError, got="{type} ("),
    "bytearray": Spoilt(lambda a: bytearray(5), ValueError, got="uint8 (5,)"),
    "array": Spoilt(lambda a: array.array("d", [0] * len(a)), ValueError, got="float64 {shape}"),
    "ctypes": Spoilt(lambda a: (ctypes.c_double * len(a))(), ValueError, got="float64 {shape}"),
    "huge": Spoilt(lambda a: np.zeros((2**20, *a.shape[1:]), a.dtype), ValueError, got="{type} {shape}"),
}


def ways_to_spoil(good: np.ndarray) -> Iterator[tuple[str, Spoilt]]:
    """All of them but the type that the array has."""
    return ((key, way) for key, way in SPOILT.items() if key != good.dtype.name)


LONG = 10**5000  # more digits than Python agrees to write
FAR = {"huge": 2**70, "-huge": -(2**70), "too_long": LONG, "-too_long": -LONG}  # ints beyond every range
NOT_INT = {
    "str": "5",
    "float": 5.0,
    "nan": math.nan,
    "True": True,
    "np_true": np.True_,
    "None": None,
    "list": [5],
    "bytes": b"5",
    "complex": 5j,
    "array": np.array([5, 6]),
    "np_float": np.float64(5),
}
NOT_FLOAT = {
    "str": "5",
    "True": True,
    "np_true": np.True_,
    "None": None,
    "list": [5.0],
    "complex": 5j,
    "array": np.array([5.0]),
}
NOT_BOOL = {"1": 1, "1.0": 1.0, "str": "True", "None": None, "np_int": np.int64(1), "array": np.array([True])}
