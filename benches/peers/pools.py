"""Python's own process pools, for benches/lab/process_pool.

Called as `pools.py ROW [ARGUMENT ...]`.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from peer import memory_bytes, serve

WORKERS = 2


def square(n):
    return n * n


def nap(micros):
    time.sleep(micros / 1e6)
    return micros


def timed(inputs, expected, run):
    start = time.perf_counter()
    outputs = run(inputs)
    took = time.perf_counter() - start
    if list(outputs) != expected:
        raise SystemExit("a wrong answer")
    return took


def squares(run):
    def turn(count):
        inputs = list(range(count))
        return timed(inputs, [n * n for n in inputs], run)

    return turn


def naps(arguments, run):
    inputs = [int(argument) for argument in arguments]
    return lambda count: sum(timed(inputs, inputs, run) for _ in range(count))


def one_by_one(executor):
    return lambda inputs: [executor.submit(square, n).result() for n in inputs]


def first_results(method):
    context = multiprocessing.get_context(method)

    def turn(count):
        took = 0.0
        for n in range(count):
            start = time.perf_counter()
            pool = context.Pool(1)
            answer = pool.apply(square, (n,))
            took += time.perf_counter() - start
            pool.terminate()
            pool.join()
            if answer != n * n:
                raise SystemExit("a wrong answer")
        return took

    return turn


def queued(count):
    """Submits tasks behind two that nap; the memory is what all of them added."""
    with ProcessPoolExecutor(WORKERS) as executor:
        held = [executor.submit(nap, 2_000_000) for _ in range(WORKERS)]
        before = memory_bytes("VmRSS")
        start = time.perf_counter()
        waiting = [executor.submit(square, n) for n in range(count)]
        took = time.perf_counter() - start
        after = memory_bytes("VmRSS")
        if any(task.done() for task in held):
            raise SystemExit("the tasks did not wait")
        executor.shutdown(cancel_futures=True)
        if not waiting[-1].cancelled():
            raise SystemExit("the last task did not wait")
    return took, None if before is None else max(after - before, 0)


def main(row, *arguments):
    if row == "ready":
        return serve(first_results(*arguments))
    if row == "queued":
        return serve(queued)
    if "executor" in row:
        with ProcessPoolExecutor(WORKERS) as executor:
            rows = {
                "executor-map-1": lambda: squares(
                    lambda inputs: list(executor.map(square, inputs))
                ),
                "executor-map-100": lambda: squares(
                    lambda inputs: list(executor.map(square, inputs, chunksize=100))
                ),
                "executor-one": lambda: squares(one_by_one(executor)),
                "executor-naps": lambda: naps(
                    arguments, lambda inputs: list(executor.map(nap, inputs))
                ),
            }
            return serve(rows[row]())
    with multiprocessing.Pool(WORKERS) as pool:
        rows = {
            "pool-map": lambda: squares(lambda inputs: pool.map(square, inputs)),
            "imap-1": lambda: squares(lambda inputs: list(pool.imap(square, inputs))),
            "imap-100": lambda: squares(
                lambda inputs: list(pool.imap(square, inputs, 100))
            ),
            "pool-naps": lambda: naps(arguments, lambda inputs: pool.map(nap, inputs)),
        }
        return serve(rows[row]())


if __name__ == "__main__":
    main(*sys.argv[1:])
