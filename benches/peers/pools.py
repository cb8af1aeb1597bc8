"""Python's own process pools, for benches/lab/process_pool.

Called as `pools.py ROW [ARGUMENT ...]`.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from peer import serve

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


def main(row, *arguments):
    if row == "ready":
        return serve(first_results(*arguments))
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
