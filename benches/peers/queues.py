"""Queues in Python, for benches/lab/queues.

Called as `queues.py WAY PRODUCERS CONSUMERS`; a count is the items of all producers together.
"""

import asyncio
import multiprocessing
import queue
import sys
import threading
import time

from peer import check, serve

CAPACITY = 1024


def produce(items, number, producers, count):
    for n in range(number, count, producers):
        items.put(n)


def consume(items, sums):
    total = 0
    while (n := items.get()) is not None:
        total += n
    sums.put(total)


def with_workers(worker, make_queue, producers, consumers):
    def turn(count):
        items, sums = make_queue(), make_queue()
        start = time.perf_counter()
        makers = [
            worker(target=produce, args=(items, number, producers, count))
            for number in range(producers)
        ]
        takers = [worker(target=consume, args=(items, sums)) for _ in range(consumers)]
        for one in makers + takers:
            one.start()
        for one in makers:
            one.join()
        for _ in takers:
            items.put(None)
        total = sum(sums.get() for _ in takers)
        for one in takers:
            one.join()
        took = time.perf_counter() - start
        check(total, count * (count - 1) // 2)
        return took

    return turn


async def through_tasks(count):
    items = asyncio.Queue(CAPACITY)

    async def send():
        for n in range(count):
            await items.put(n)
        await items.put(None)

    async def receive():
        total = 0
        while (n := await items.get()) is not None:
            total += n
        return total

    _, total = await asyncio.gather(send(), receive())
    return total


async def rally_of_tasks(count):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def answer():
        for _ in range(count):
            await back.put(await there.get())

    async def ask():
        total = 0
        for n in range(count):
            await there.put(n)
            total += await back.get()
        return total

    _, total = await asyncio.gather(answer(), ask())
    return total


def rally_of_threads(count):
    there, back = queue.Queue(1), queue.Queue(1)

    def answer():
        for _ in range(count):
            back.put(there.get())

    thread = threading.Thread(target=answer)
    thread.start()
    total = 0
    for n in range(count):
        there.put(n)
        total += back.get()
    thread.join()
    return total


def timed(run):
    def turn(count):
        start = time.perf_counter()
        total = run(count)
        took = time.perf_counter() - start
        check(total, count * (count - 1) // 2)
        return took

    return turn


def main(way, producers, consumers):
    producers, consumers = int(producers), int(consumers)
    bounded = lambda: queue.Queue(CAPACITY)  # noqa: E731
    turns = {
        "threads": lambda: with_workers(threading.Thread, bounded, producers, consumers),
        "simple": lambda: with_workers(
            threading.Thread, queue.SimpleQueue, producers, consumers
        ),
        "processes": lambda: with_workers(
            multiprocessing.Process,
            lambda: multiprocessing.Queue(CAPACITY),
            producers,
            consumers,
        ),
        "tasks": lambda: timed(lambda count: asyncio.run(through_tasks(count))),
        "rally-tasks": lambda: timed(lambda count: asyncio.run(rally_of_tasks(count))),
        "rally-threads": lambda: timed(rally_of_threads),
    }
    serve(turns[way]())


if __name__ == "__main__":
    main(*sys.argv[1:])
