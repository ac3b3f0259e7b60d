"""Run Python under ASan and UBSan, with the debug wheel of sanitizer/build.py.

    python sanitizer/run.py pytest tests/test_binding.py        or `-m module`, or your_script.py, with any arguments

Prints what was found, then one line of verdict. Exit status: 0 when the program succeeded and nothing was found, else 1.
A finding is any error that ASan or UBSan reports, and any leak with a frame of the debug wheel's own libraries. Other leaks
are counted and ignored: CPython and NumPy never free some of their memory. Builds the debug wheel first if a source changed.
"""

import argparse
import atexit
import ctypes
import os
import re
import runpy
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import build

OURS = f"({build.SITE}{os.sep}"  # in every frame of our libraries, because of this:
STACK = "stack_trace_format='    #%n %p in %f %S (%m)'"

OPTIONS = {
    # exitcode=0: the exit status stays the program's own; findings are read from the log.
    # The fast unwinder stops at a library without frame pointers, such as Python, before it reaches the caller.
    # 20 frames: our own frame is a few frames above malloc, and 40 take twice the time.
    # handle_*=2: pytest cannot replace ASan's signal handlers.
    "ASAN_OPTIONS": f"log_path={{log}}:{STACK}:detect_leaks=1:exitcode=0:print_legend=0"
    ":fast_unwind_on_malloc=0:malloc_context_size=20:handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2",
    "UBSAN_OPTIONS": f"{STACK}:print_stacktrace=1",
    "LSAN_OPTIONS": "exitcode=0",
    # Python's own allocator cuts small objects from large blocks, so that ASan does not know where each ends
    "PYTHONMALLOC": "malloc",
}

# The one line that names an error: the last of ASan's report, the first of UBSan's.
ERROR = re.compile(r"^SUMMARY: AddressSanitizer: (?!\d+ byte)(?P<asan>.*)|^(?P<ubsan>.*runtime error:.*)", re.M)
BROKEN = re.compile(r"ERROR: AddressSanitizer|CHECK failed|LeakSanitizer has encountered a fatal error")
# One part of LSan's report: a place that allocates and is leaked.
LEAK = re.compile(r"^(?:Direct|Indirect) leak of \d+ byte.*?(?=^\s*$|\Z)", re.M | re.S)
FRAME = re.compile(r" +#\d+ ")


def runtime(name: str) -> str:
    """The path of one of the compiler's own libraries."""
    command = [*os.environ.get("CC", "cc").split(), f"-print-file-name={name}"]
    try:
        found = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"`{' '.join(command)}` failed ({error}): name a gcc in CC.")
    if not found.is_absolute():
        sys.exit(
            f"`{' '.join(command)}` found nothing: install gcc's sanitizer libraries, or name a gcc that has them in CC."
        )
    return str(found.resolve())


def become(folder: Path, program: list[str]) -> None:
    """Inside the process that has the runtimes: run the program, and leave in folder/done what it had loaded of ours."""
    # gcc's UBSan takes ASan's setter for its own and so passes over log_path; its stderr, pytest would capture
    ubsan = next(path for path in os.environ["LD_PRELOAD"].split() if "libubsan" in path)
    ctypes.CDLL(ubsan)["__sanitizer_set_report_path"](os.fsencode(folder / "log"))
    # what the program starts (gcc, ninja, another Python) must not inherit these. UBSAN_OPTIONS stays: UBSan reads it only
    # when it has something to say
    for name in ("LD_PRELOAD", "PYTHONMALLOC", "ASAN_OPTIONS", "LSAN_OPTIONS"):
        os.environ.pop(name, None)

    def leave(owner: int = os.getpid()) -> None:
        if os.getpid() == owner:  # and not a forked child
            files = [f"({getattr(module, '__file__', None)}" for module in list(sys.modules.values())]
            (folder / "done").write_text("\n".join(file for file in files if file.startswith(OURS) and file.endswith(".so")))

    atexit.register(leave)
    module = program[0] == "-m"
    # as Python does, but after the debug wheel: nothing that lies about may take its place
    sys.path[:1] = [str(build.SITE), str(Path.cwd() if module else Path(program[0]).resolve().parent)]
    sys.argv = program[1:] if module else program
    if module:
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(program[0], run_name="__main__")


def shorten(report: str) -> str:
    """A report whose stacks end soon after their last frame of ours; below are dozens of the interpreter's own."""
    lines: list[str] = []
    for is_frame, group in groupby(report.strip().splitlines(), lambda line: bool(FRAME.match(line))):
        part = list(group)
        last = max((k for k, line in enumerate(part) if OURS in line), default=6)
        lines += part[: last + 2] if is_frame else part
    return "\n".join(lines)


def verdict(status: int, logs: list[str], done: Path) -> str:
    """The sentence that says what is wrong, or an empty one; prints the findings. There is a log for each process."""
    for log in logs:
        if (error := ERROR.search(log)) or BROKEN.search(log):
            print(shorten(log), file=sys.stderr)
            return error["asan"] or error["ubsan"] if error else "the sanitizer itself failed, see above."
    leaks = [leak for log in logs for leak in LEAK.findall(log)]
    ours = [leak for leak in leaks if OURS in leak]
    for leak in ours:
        print(shorten(leak), end="\n\n", file=sys.stderr)
    if ours:
        return f"{len(ours)} leaks with a frame of ours."
    if status:
        return f"the program ended with status {status}; the sanitizers reported nothing."
    if not done.exists():
        return "Python's exit handlers never ran (os._exit?), so leaks were not checked."
    if not done.read_text():
        return "the program never loaded a library of the debug wheel, so nothing was checked."
    print(f"({len(leaks)} leaks without a frame of ours ignored)", file=sys.stderr)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs=argparse.REMAINDER, help="pytest, -m module or a script, with its arguments")
    program = parser.parse_args().program
    if not program or program == ["-m"]:
        parser.error("say what to run")
    if program[0] == "pytest":
        program = ["-m", *program]
    if build.is_stale():
        build.build()

    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {name: value.format(log=Path(folder, "log")) for name, value in OPTIONS.items()}
        # libstdc++ too: ASan looks once, at the start, for the function that throws C++ exceptions; torch brings it later
        env["LD_PRELOAD"] = " ".join(runtime(name) for name in ("libasan.so", "libubsan.so", "libstdc++.so"))
        status = subprocess.run([sys.executable, __file__, "--inside", folder, *program], env=env).returncode
        logs = [path.read_text(errors="replace") for path in sorted(Path(folder).glob("log.*"))]
        wrong = verdict(status, logs, Path(folder, "done"))
    print(f"ASan and UBSan: {'FAILED: ' + wrong if wrong else 'passed: no error, and no leak of ours.'}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        become(Path(sys.argv[2]), sys.argv[3:])
    else:
        sys.exit(main())
