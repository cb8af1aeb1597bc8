"""Requests in Python, for benches/lab/fetch.

Called as `fetch.py WAY REQUESTS URL`. The ways: `threads`, one each with http.client and a connection
that is kept; `requests`, one thread and one session each; `aiohttp`, one task each in one session.
"""

import asyncio
import http.client
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from peer import check, need, serve


def in_threads(number, get_with):
    """A thread for each request, which keeps its connection for the next turn."""
    local = threading.local()
    pool = ThreadPoolExecutor(number)

    def turn(count):
        took = 0.0
        for _ in range(count):
            start = time.perf_counter()
            answers = list(pool.map(lambda _: get_with(local), range(number)))
            took += time.perf_counter() - start
            check(answers, [200] * number)
        return took

    return turn


def with_http_client(url):
    parts = urlsplit(url)

    def get(local):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(parts.hostname, parts.port)
        local.connection.request("GET", parts.path)
        with local.connection.getresponse() as answer:
            answer.read()
            return answer.status

    return get


def with_requests(url):
    requests = need("requests")

    def get(local):
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        return local.session.get(url).status_code

    return get


def with_aiohttp(number, url):
    aiohttp = need("aiohttp")
    loop = asyncio.new_event_loop()

    async def open_session():
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    session = loop.run_until_complete(open_session())

    async def get():
        async with session.get(url) as answer:
            await answer.read()
            return answer.status

    async def get_all():
        return await asyncio.gather(*(get() for _ in range(number)))

    def turn(count):
        took = 0.0
        for _ in range(count):
            start = time.perf_counter()
            answers = loop.run_until_complete(get_all())
            took += time.perf_counter() - start
            check(answers, [200] * number)
        return took

    serve(turn)
    loop.run_until_complete(session.close())


def main(way, number, url):
    number = int(number)
    if way == "threads":
        serve(in_threads(number, with_http_client(url)))
    elif way == "requests":
        serve(in_threads(number, with_requests(url)))
    elif way == "aiohttp":
        with_aiohttp(number, url)
    else:
        raise SystemExit(f"`{way}` is no way")


if __name__ == "__main__":
    main(*sys.argv[1:])
