"""What this Python asks for a thread, a task, a process, a handoff; prints one line of JSON."""

import asyncio
import faulthandler
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

NAP = 0.002
MIB = bytes(1 << 20)


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def threads(count):
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(time.sleep, [NAP] * count))


def tasks(count):
    async def nap_all():
        await asyncio.gather(*(asyncio.sleep(NAP) for _ in range(count)))

    asyncio.run(nap_all())


def processes(count):
    with ProcessPoolExecutor(count) as pool:
        list(pool.map(abs, range(count)))


def look(seen):
    def note(name, value):
        seen.setdefault(name, []).append(value)

    few, many = timed(lambda: threads(8)), timed(lambda: threads(64))
    note("thread", (many - few) / 56)
    note("threads", few - NAP - (many - few) / 7)
    few, many = timed(lambda: tasks(50)), timed(lambda: tasks(1000))
    note("task", (many - few) / 950)
    note("task_late", timed(lambda: tasks(1)) - NAP)
    one, three = timed(lambda: processes(1)), timed(lambda: processes(3))
    note("pool", one)
    note("process", (three - one) / 2)
    note("more_processes", (three - one) / 2)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(abs, range(4)))
        handoff = timed(lambda: list(pool.map(abs, range(200)))) / 200
        note("handoff", handoff)
        note("mib", (timed(lambda: list(pool.map(bytes, [MIB] * 4))) / 4 - handoff) / 2)


if __name__ == "__main__":
    # Where a process of the pool hangs, nothing waits for it.
    faulthandler.dump_traceback_later(20, exit=True)
    seen = {}
    for _ in range(int(sys.argv[1])):
        look(seen)
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(json.dumps({"version": sys.version.split()[0], "has_gil": has_gil, "prices_s": seen}))
