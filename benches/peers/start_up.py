"""What Python takes to begin, for benches/lab/start_up.

Called as `start_up.py WAY`; a count is how often.
"""

import asyncio
import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from peer import check, serve


def answer(n):
    return n + 1


def in_thread(n):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(answer(n)))
    thread.start()
    thread.join()
    return answers[0]


def in_process(n):
    # By fork, where the system has it: the cheapest that Python offers.
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in ways else "spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=put, args=(queue, n))
    process.start()
    got = queue.get()
    process.join()
    return got


def put(queue, n):
    queue.put(answer(n))


def in_subprocess(n):
    code = f"print({n} + 1)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return int(ran.stdout)


def in_new(executor):
    """Times a pool until its first result, and not its end."""

    def turn(count):
        took = 0.0
        for n in range(count):
            start = time.perf_counter()
            pool = executor(2)
            first = pool.submit(answer, n).result()
            took += time.perf_counter() - start
            pool.shutdown()
            check(first, n + 1)
        return took

    return turn


def timed(run):
    def turn(count):
        start = time.perf_counter()
        answers = [run(n) for n in range(count)]
        took = time.perf_counter() - start
        check(answers, list(range(1, count + 1)))
        return took

    return turn


def in_tasks(count):
    async def one(n):
        return answer(n)

    async def all_of_them():
        return [await asyncio.create_task(one(n)) for n in range(count)]

    async def timed_inside():
        start = time.perf_counter()
        answers = await all_of_them()
        return answers, time.perf_counter() - start

    answers, took = asyncio.run(timed_inside())
    check(answers, list(range(1, count + 1)))
    return took


def main(way):
    if way == "task":
        return serve(in_tasks)
    if way == "executor":
        with ThreadPoolExecutor(2) as pool:
            return serve(timed(lambda n: pool.submit(answer, n).result()))
    pools = {"thread-pool": ThreadPoolExecutor, "process-pool": ProcessPoolExecutor}
    if way in pools:
        return serve(in_new(pools[way]))
    ways = {"thread": in_thread, "process": in_process, "subprocess": in_subprocess}
    return serve(timed(ways[way]))


if __name__ == "__main__":
    main(*sys.argv[1:])
