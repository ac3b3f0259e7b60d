"""What a run of `boids train` leaves in its folder, read by tests/test_train.py and tests/test_pufferl.py."""

import csv
from pathlib import Path

import numpy as np


def curve(out: Path) -> list[dict[str, float]]:
    with (out / "log.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def weights(out: Path) -> dict[str, np.ndarray]:
    with np.load(out / "policy.npz") as file:
        return {name: file[name] for name in file.files if name != "meta"}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all((a[name] == b[name]).all() for name in a)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
