"""How a peer in Python talks with the benchmarks; see `Program` in benches/side-by-side.

It says `ready`, or `missing NAME` when it needs a package that is not installed. For each line of its
input, a count, it runs so many tasks, checks their answers, and prints the seconds they took and, where
that is asked for, its peak memory in bytes.
"""

import importlib
import sys


def need(name, package=None):
    """The module of this name; without it this peer is left out."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print("missing", package or name, flush=True)
        raise SystemExit(0) from None


def check(answers, expected):
    """A timed run with a wrong answer is no run."""
    if answers != expected:
        raise SystemExit("a wrong answer")


def memory_bytes(field):
    """`VmRSS`, what this process holds, or `VmHWM`, the most it ever held; None where not told."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def serve(turn):
    """Runs `turn(count)` until the input ends; it returns seconds, or seconds and bytes."""
    print("ready", flush=True)
    for line in sys.stdin:
        took = turn(int(line))
        took, held = took if isinstance(took, tuple) else (took, None)
        print(took if held is None else f"{took} {held}", flush=True)
