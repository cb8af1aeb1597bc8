"""Increments in Python, for benches/lab/locks.

Called as `locks.py WAY THREADS`; a count is the increments of all threads together.
"""

import sys
import threading
import time

from peer import check, serve


class Counter:
    value = 0


def add_alone(counter, increments):
    for _ in range(increments):
        counter.value += 1


def add_under(lock):
    def add(counter, increments):
        for _ in range(increments):
            with lock:
                counter.value += 1

    return add


def main(way, number):
    number = int(number)
    adds = {
        "nothing shared": add_alone,
        "Lock": add_under(threading.Lock()),
        "RLock": add_under(threading.RLock()),
    }

    def turn(count):
        shared = Counter()
        own = [Counter() if way == "nothing shared" else shared for _ in range(number)]
        # What does not divide goes to the first.
        shares = [count // number + (count % number if n == 0 else 0) for n in range(number)]
        threads = [
            threading.Thread(target=adds[way], args=work) for work in zip(own, shares)
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - start
        check(sum(counter.value for counter in set(own)), count)
        return took

    serve(turn)


if __name__ == "__main__":
    main(*sys.argv[1:])
