"""The two jobs of lab 03, in the Python that runs this: the way and the work in, a line of JSON out."""
import json
import random
import sys
import threading
import time


def job(number, work, notes):
    """Adds up products of random numbers; each job has a generator, or threads would share one."""
    start, busy = time.perf_counter(), time.thread_time()
    randint, total = random.Random(number).randint, 0
    for _ in range(work):
        total += randint(1, 10000) * randint(1, 10000)
    end, busy = time.perf_counter(), time.thread_time() - busy
    notes.append((start, end, busy, total))


def at_once(numbers, work, notes):
    """Does these jobs, each in a thread; one alone, too: on the main thread the same loop took longer."""
    started = [threading.Thread(target=job, args=(number, work, notes)) for number in numbers]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def gil():
    """Whether threads share a GIL; None where it is not known."""
    if hasattr(sys, "_is_gil_enabled"):
        return sys._is_gil_enabled()
    return True if sys.implementation.name in ("cpython", "pypy") else None


version = sys.version.split()[0]
if sys.version_info < (3, 7):
    sys.exit("Python " + version + ", not Python 3")
words = {True: "GIL on", False: "GIL off", None: "GIL unknown"}
title = sys.implementation.name + " " + version + ", " + words[gil()]
way, work = sys.argv[1:]
notes = []
begin = time.perf_counter()
for numbers in {"sequential": [[0], [1]], "threads": [[0, 1]]}[way]:
    at_once(numbers, int(work), notes)
jobs = [(start - begin, end - begin, min(busy, end - start), total) for start, end, busy, total in notes]
print(json.dumps({"title": title, "gil": gil(), "jobs": jobs}))
