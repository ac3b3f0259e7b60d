"""Whoever builds with the installed CMake package gets the same bits as the project's own build.

One project outside of this tree, that knows the package alone: a module of the flock, test_golden.c, and a rotation, which a
compiler likes to compute with instructions that round once where C rounds twice.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import boids_env
from test_golden import play

ROOT = Path(__file__).resolve().parent.parent
PROJECT = {
    "CMakeLists.txt": f"""
cmake_minimum_required(VERSION 3.26)
project(stranger LANGUAGES C)
find_package(boids_env CONFIG REQUIRED)
boids_env_add_module(_flock flock.h)
add_executable(golden "{ROOT}/tests/c/test_golden.c")
add_executable(rotation rotation.c)
target_compile_options(rotation PRIVATE -march=native) # with all instructions of this processor
foreach(program golden rotation)
  target_link_libraries(${{program}} PRIVATE boids_env::env)
endforeach()
""",
    "flock.h": '#include "boids.h"\n',
    "rotation.c": """
#include "env.h"
typedef struct Point { double x, y; } Point;
Point rotate(Point p, double c, double s);
Point rotate(Point p, double c, double s) { return (Point){p.x * c - p.y * s, p.y * c + p.x * s}; }
static Point rotate_in_steps(Point p, double c, double s) {
    volatile double xc = p.x * c, ys = p.y * s, yc = p.y * c, xs = p.x * s; /* each product is rounded */
    return (Point){xc - ys, yc + xs};
}
int main(void) {
    Point (*volatile rotate_as_compiled)(Point, double, double) = rotate; /* not inlined */
    uint64_t rng = 1;
    int others = 0;
    for (int k = 0; k < 1000; k++) {
        Point p = {(double)env_random(&rng), (double)env_random(&rng)};
        double c = (double)env_random(&rng), s = (double)env_random(&rng);
        Point one = rotate_as_compiled(p, c, s), two = rotate_in_steps(p, c, s);
        others += one.x != two.x || one.y != two.y;
    }
    return others != 0;
}
""",
}
pytestmark = pytest.mark.slow


def run(*command: str | Path) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what that project builds."""
    source, build = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("build")
    for name, text in PROJECT.items():
        (source / name).write_text(text)
    options = [
        f"-Dboids_env_ROOT={boids_env.get_cmake_dir()}",
        f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_BUILD_TYPE=Release",
    ]
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, *options)
    run("cmake", "--build", build, "--parallel", "2")
    return build


@pytest.mark.parametrize("program", ["golden", "rotation"])
def test_a_program(built: Path, program: str) -> None:
    run(built / program)


@pytest.mark.parametrize(
    "parameters",
    [{"num_boids": 33}, {"num_boids": 300, "width": 3000, "observation": "nearest", "action": "continuous"}],
    ids=["rules", "nearest"],
)
def test_a_module(boids: ModuleType, built: Path, parameters: dict[str, object]) -> None:
    """It writes what the package's own module writes."""
    (path,) = built.glob("_flock.*")
    spec = importlib.util.spec_from_file_location("_flock", path)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    assert play(theirs, 2, 1, horizon=25, **parameters) == play(boids, 2, 1, horizon=25, **parameters)
