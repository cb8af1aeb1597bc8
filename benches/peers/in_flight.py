"""So many requests at once with aiohttp, for benches/lab/in_flight.

Called as `in_flight.py URL`.
"""

import asyncio
import json
import sys
import time

from peer import memory_bytes, need, serve

aiohttp = need("aiohttp")


async def get(session, url):
    async with session.get(url) as answer:
        return answer.status, await answer.read()


async def get_all(url, count):
    # Without a limit of connections, as the others; its own is a hundred.
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        start = time.perf_counter()
        answers = await asyncio.gather(*(get(session, url) for _ in range(count)))
        return time.perf_counter() - start, answers


def turn(count):
    took, answers = asyncio.run(get_all(sys.argv[1], count))
    for status, body in answers:
        if status != 200 or "origin" not in json.loads(body):
            raise SystemExit(f"a wrong answer: {status}, {body}")
    return took, memory_bytes("VmHWM")


if __name__ == "__main__":
    serve(turn)
