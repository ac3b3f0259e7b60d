"""The C sources as WebAssembly: the same bits as everywhere, with vector instructions and without. Run in node."""

import math
import struct
import subprocess
import sys
from pathlib import Path

import needs
from builds import ROOT

sys.path.insert(0, str(ROOT / "web"))
import build  # web/build.py
import pytest

pytestmark = pytest.mark.slow


def program(source: str, out: Path, *options: str, simd: bool = True) -> Path:
    """Compiles a C program."""
    for name in (build.CLANG, build.LINKER):
        needs.program(name, "apt-get install clang-19 lld-19")
    build.program(out, ROOT / source, *options, simd=simd)
    return out


def run(source: str, folder: Path, *options: str, simd: bool = True) -> list[str]:
    """The lines that a C program prints. It must not fail."""
    node = needs.program("node", "apt-get install nodejs")
    command = [node, str(ROOT / "web" / "run.mjs"), str(program(source, folder / "program.wasm", *options, simd=simd))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture(params=["simd", "plain"])
def simd(request):
    return request.param == "simd"


# tests/c/golden.h and golden_learn.h hold the hashes; the programs fail where one differs
@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("tests/c/test_golden.c", ()),
        ("tests/c/test_golden.c", ("-O3", "-DSIGHT_MOST_SORTED=0")),
        ("tests/c/test_groups.c", ()),
        ("tests/c/test_env_vec.c", ("-I../tests/counter",)),
        ("tests/c/test_learn_golden.c", ("-I../tests/learn",)),
        ("tests/c/test_learn_golden.c", ("-I../tests/learn", "-DSPACES_INT")),
        ("tests/c/test_learn_golden.c", ("-I../tests/learn", "-DSPACES_SIGNED")),
        ("tests/c/test_learn_golden.c", ("-I../tests/learn", "-DSPACES_BYTE", "-O3")),
    ],
)
def test_same_bits(source, options, simd, tmp_path):
    assert run(source, tmp_path, *options, simd=simd)[-1].endswith(" 0 failed")


def test_simd_is_simd(tmp_path):
    """The vector instruction that the kernel is built on is in the one module, and not in the other."""
    q15mulr_sat = bytes([0xFD, 0x82, 0x01])
    for simd in (True, False):
        module = program("tests/c/test_golden.c", tmp_path / f"{simd}.wasm", simd=simd)
        assert (q15mulr_sat in module.read_bytes()) == simd


def test_other_bits_fail(tmp_path):
    """Floats that are reordered give other hashes, and the program says so."""
    with pytest.raises(AssertionError, match=r"seed_0: 0x[0-9a-f]{16}"):
        run("tests/c/test_golden.c", tmp_path, "-O3", "-ffast-math")


def test_reproducible(tmp_path):
    (tmp_path / "deeper").mkdir()
    first, second = (program("tests/c/test_golden.c", tmp_path / name) for name in ("a.wasm", "deeper/b.wasm"))
    assert first.read_bytes() == second.read_bytes()
    assert str(ROOT).encode() not in first.read_bytes()


def test_libc(tmp_path):
    lines = run("tests/web/libc.c", tmp_path)
    numbers = [line.split(" ") for line in lines if len(line.split(" ")) == 5]
    assert len(numbers) == 600
    for bits, *texts in numbers:
        (value,) = struct.unpack(">d", bytes.fromhex(bits))
        expected = [form % value for form in ("%g", "%.9g", "%.17g", "%.2g")]
        if math.isnan(value):  # whose sign Python leaves out
            texts = [text.removeprefix("-") for text in texts]
        assert texts == expected, bits
