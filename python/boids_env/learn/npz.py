"""Files of arrays, .npz, from whoever: read with no more memory than they may take, and without pickle."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boids_env.errors import UserError

Array = NDArray[Any]


def read_npz(path: Path, largest: int, expected: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of a file, and the JSON object in its array `meta`.

    Args:
        largest: bytes that it may have, unpacked.
        expected: what kind of file, for the error.

    Raises:
        UserError: it is no such file, or a larger one.
    """
    try:
        check_size(path, largest)
        with zipfile.ZipFile(path) as file:
            arrays = {entry.filename.removesuffix(".npy"): _read_npy(_unpacked(file, entry)) for entry in file.infolist()}
        meta = json.loads(str(arrays.pop("meta", "{}")))
        if not isinstance(meta, dict):
            raise ValueError("meta that is no JSON object")
    except Exception as error:  # zipfile, zlib, lzma, json and NumPy raise many kinds on a file that is none
        raise another_kind(path, expected, error) from None
    return arrays, meta


def _unpacked(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """As many bytes as the directory says, and no more in memory; `file.read` unpacks all there are."""
    with file.open(entry) as packed:
        return packed.read(entry.file_size + 1)


def _read_npy(data: bytes) -> Array:
    """An array from an .npy file's bytes, of which it takes no more memory. Raises: ValueError."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]  # NumPy 1 has no types here
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of version {version}")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)  # type: ignore[no-untyped-call]  # the same
    if dtype.hasobject or dtype.itemsize * math.prod(shape) != len(data) - file.tell():
        raise ValueError(f"an array of {dtype} {shape} in {len(data) - file.tell()} bytes")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]  # the same
    return array


def check_size(path: Path, most: int) -> None:
    """Raises: ValueError, if the file has more bytes, packed or unpacked; a zip is not unpacked for that."""
    size = path.stat().st_size
    if size <= most and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            entries = file.infolist()
        # of the other methods zipfile unpacks more at once than it is asked for
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
            raise ValueError("a zip of another method than deflate")
        size = sum(entry.file_size for entry in entries)
    if size > most:
        raise ValueError(f"{size:,} bytes of at most {most:,}")


def another_kind(path: Path, expected: str, error: Exception) -> UserError:
    """The error about a file of another kind, in one line."""
    what = error.strerror if isinstance(error, OSError) and error.strerror else (str(error).splitlines() or [""])[0]
    return UserError(f"{path}: expected a {expected}, got {what or type(error).__name__}")
