"""CPU work in Python: one thread, threads, processes, for benches/lab/cpu.

Called as `cpu.py WAY WORKERS JOBS`; a count is the steps of all jobs together.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from peer import check, serve

MASK = (1 << 64) - 1


def mix(job):
    """Marsaglia's xorshift, as in common::workload."""
    seed, steps = job
    state = max(seed, 1)
    for _ in range(steps):
        state ^= (state << 13) & MASK
        state ^= state >> 7
        state ^= (state << 17) & MASK
    return state


def timed(run, number):
    """A turn of the jobs; their answers are found by a plain loop, once."""
    known = {}

    def turn(count):
        jobs = [(seed, count // number) for seed in range(number)]
        if count not in known:
            known[count] = [mix(job) for job in jobs]
        start = time.perf_counter()
        answers = list(run(jobs))
        took = time.perf_counter() - start
        check(answers, known[count])
        return took

    return turn


def main(way, workers, number):
    workers, number = int(workers), int(number)
    if way == "sequential":
        serve(timed(lambda jobs: map(mix, jobs), number))
    elif way == "threads":
        with ThreadPoolExecutor(workers) as pool:
            serve(timed(lambda jobs: pool.map(mix, jobs), number))
    elif way == "multiprocessing":
        with multiprocessing.Pool(workers) as pool:
            serve(timed(lambda jobs: pool.map(mix, jobs, 1), number))
    else:
        raise SystemExit(f"`{way}` is no way")


if __name__ == "__main__":
    main(*sys.argv[1:])
