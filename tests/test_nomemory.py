"""src/binding.c out of memory: every allocation of every call fails once, alone and together with all later ones.

The call then raises MemoryError, or succeeds without that allocation. It never crashes or raises anything else, and the
object still works. CPython's _testcapi makes Python's allocators fail. In test_binding.py and c/test_boids.c those of the
environment fail.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import needs

needs.package("_testcapi", "install a Python that has it, as Debian's does")

# In a process of its own: a crash is then an exit status.
SWEEP = """
import importlib.util, sys
import _testcapi
import numpy
from test_binding import arrays_for

name, path = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
arrays = arrays_for(module, 2)
others = arrays_for(module, 2)
env = module.VecEnv(**arrays, num_envs=2)
env.reset()
closed = module.VecEnv(**others, num_envs=2)
closed.close()
field = next(iter(env.state_fields))
state = env.get(field, 1)
pixels = numpy.zeros((20, 30, 3), numpy.uint8)

def refuse():
    try:
        module.VecEnv(**others, num_envs=2, seed=-1)
    except ValueError:
        pass

def log():
    env.script()
    for _ in range(12):  # in which the counter ends an episode
        env.step()
    env.log()

calls = {
    "construct": lambda: module.VecEnv(**others, num_envs=2, seed=1, num_threads=2).close(),
    "refuse": refuse,
    "reset": lambda: env.reset(5),
    "step": lambda: env.step(),
    "script": lambda: env.script(),
    "log": log,
    "render": lambda: env.render(pixels),
    "get": lambda: env.get(field, 1),
    "set": lambda: env.set(field, state, 1),
    "layout": lambda: module.layout(),
    "close": lambda: closed.close(),
}

def succeeds(call, first, last):
    _testcapi.set_nomemory(first, last)
    try:
        call()
        return True
    except MemoryError:
        return False
    finally:
        _testcapi.remove_mem_hooks()

for what, call in calls.items():
    count = 0
    while not succeeds(call, count, 0):  # from that allocation on, all fail
        count += 1
    for k in range(count):
        succeeds(call, k, k + 1)  # that one alone
        env.step()
    call()
    print(what, count)
env.close()
"""


@pytest.mark.parametrize("module", ["counter", "boids"], indirect=True)
def test_every_allocation_fails_once(module):
    if b"__asan_init" in Path(module.__file__).read_bytes():
        pytest.skip("under the sanitizers: a process of its own would be without their runtime")
    command = [sys.executable, "-X", "faulthandler", "-c", SWEEP, module.__name__.rpartition(".")[2], module.__file__]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(line.split() for line in done.stdout.splitlines())
    assert int(counts["construct"]) > 10, counts  # it did fail
