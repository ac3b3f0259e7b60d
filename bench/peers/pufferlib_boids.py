"""PufferLib 3.0.0's own boids, built from the sources its package carries.

The binding is compiled into a temporary folder with the flags of PufferLib's setup.py; raylib, which its header asks for and
stepping hardly needs, is replaced by empty functions.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NAME = "PufferLib 3.0.0 boids"
INSTALL = "python tools/install_pufferlib.py, and a C compiler"
DIFFERS = """
Two actions of five values a boid, which accelerate it. An observation is the offset and velocity of every other boid, 4 x
num_boids floats, so that time and memory grow with the square of the flock. The keyboard is read in every step (here by an
empty function). Nothing is truncated."""
SIZES = 8, 4096  # the smallest and the largest flock that it is asked to step

# Stand-ins for what the header calls of raylib; in a file of their own, and so as opaque to the compiler as raylib is.
RAYLIB_H = """
#include <stdbool.h>
typedef struct Color { unsigned char r, g, b, a; } Color;
typedef struct Vector2 { float x, y; } Vector2;
typedef struct Rectangle { float x, y, width, height; } Rectangle;
typedef struct Texture2D { int id, width, height; } Texture2D;
enum { KEY_LEFT_SHIFT, KEY_ESCAPE, LOG_ERROR, LOG_WARNING };
#define WHITE (Color){255, 255, 255, 255}
bool IsKeyDown(int), IsWindowReady(void), WindowShouldClose(void);
int GetMouseX(void), GetMouseY(void);
void InitWindow(int, int, const char*), CloseWindow(void), SetTargetFPS(int), TraceLog(int, const char*, ...);
void UnloadTexture(Texture2D), BeginDrawing(void), EndDrawing(void), ClearBackground(Color);
void DrawTexturePro(Texture2D, Rectangle, Rectangle, Vector2, float, Color);
Texture2D LoadTexture(const char*);
"""
RAYLIB_C = """
#include "raylib.h"
bool IsKeyDown(int key) { return false; }
bool IsWindowReady(void) { return false; }
bool WindowShouldClose(void) { return true; }
int GetMouseX(void) { return 0; }
int GetMouseY(void) { return 0; }
void InitWindow(int w, int h, const char* title) {}
void CloseWindow(void) {}
void SetTargetFPS(int fps) {}
void TraceLog(int level, const char* text, ...) {}
void UnloadTexture(Texture2D t) {}
void BeginDrawing(void) {}
void EndDrawing(void) {}
void ClearBackground(Color c) {}
void DrawTexturePro(Texture2D t, Rectangle a, Rectangle b, Vector2 o, float r, Color c) {}
Texture2D LoadTexture(const char* path) { return (Texture2D){0}; }
"""
FLAGS = ["-DPLATFORM_DESKTOP", "-fwrapv", "-O2", "-fPIC", "-w"]  # PufferLib's setup.py asks for these, and -flto


def build() -> Any:
    """The class `Boids` of PufferLib, its binding compiled and loaded."""
    found = importlib.util.find_spec("pufferlib")
    if found is None or not found.submodule_search_locations:
        raise ImportError("No module named 'pufferlib'")
    ocean = Path(found.submodule_search_locations[0]) / "ocean"
    folder = Path(tempfile.mkdtemp(prefix="pufferlib-boids-"))
    (folder / "boids").mkdir()
    (folder / "raylib.h").write_text(RAYLIB_H)
    (folder / "raylib.c").write_text(RAYLIB_C)
    shutil.copy(ocean / "env_binding.h", folder)
    for name in ("boids.h", "binding.c"):
        shutil.copy(ocean / "boids" / name, folder / "boids")
    library = folder / f"binding{sysconfig.get_config_var('EXT_SUFFIX')}"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    include = [f"-I{folder}", f"-I{np.get_include()}", f"-I{sysconfig.get_paths()['include']}"]
    keyboard, source = str(folder / "raylib.o"), str(folder / "boids" / "binding.c")
    subprocess.run([compiler, *FLAGS, *include, "-c", str(folder / "raylib.c"), "-o", keyboard], check=True)
    subprocess.run([compiler, *FLAGS, "-flto", *include, "-shared", source, keyboard, "-o", str(library), "-lm"], check=True)
    spec = importlib.util.spec_from_file_location("pufferlib.ocean.boids.binding", library)
    assert spec is not None
    assert spec.loader is not None
    binding = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(binding)
    sys.modules["pufferlib.ocean.boids.binding"] = binding

    import pufferlib.ocean.boids

    pufferlib.ocean.boids.binding = binding
    from pufferlib.ocean.boids.boids import Boids

    return Boids


def make(num_envs: int, num_boids: int, width: float, height: float) -> Callable[[int], None]:
    """So many flocks, and what takes so many steps with them, each with fresh random actions through `step`."""
    env = build()(num_envs=num_envs, num_boids=num_boids, report_interval=1_000_000)
    env.reset(0)
    actions = np.random.default_rng(0).integers(0, 5, (16, num_envs * num_boids, 2)).astype(np.int32)

    def run(steps: int) -> None:
        for k in range(steps):
            env.step(actions[k % len(actions)])

    return run
