"""The least that two of the steps can be asked for, in Python, for benches/lab/start_up.

Called as `first.py sums`, or `first.py fetches URL`; prints one JSON document and ends.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor


def sums():
    return [sum(n * n for n in range(size)) for size in (1000, 2000, 3000, 4000)]


def fetches(url):
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))

    def get(_):
        with opener.open(url) as answer:
            answer.read()
            return answer.status

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(get, range(10)))
    if statuses != [200] * 10:
        raise SystemExit("a wrong answer")
    return statuses


if __name__ == "__main__":
    ways = {"sums": sums, "fetches": fetches}
    print(json.dumps(ways[sys.argv[1]](*sys.argv[2:])))
