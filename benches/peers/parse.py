"""Parsers in Python, for benches/lab/pipeline.

Called as `parse.py WAY FOLDER`. In the folder are pages, `*.html`, and `answers.json`: title and number of
`a[href]` of each, in the order of their names. A count is pages, from the first and over and over: bytes
in, title and number out. A page with another answer than the lab's ends the row.
"""

import html.parser
import json
import pathlib
import sys
import time
from itertools import cycle, islice

from peer import need, serve


def in_one_line(title):
    return " ".join((title or "").split()) or "(no title)"


def with_selectolax():
    lexbor = need("selectolax.lexbor", "selectolax")

    def read(page):
        # Given bytes it looks for the encoding, which takes longer.
        tree = lexbor.LexborHTMLParser(page.decode())
        title = tree.css_first("title")
        return title and title.text(), len(tree.css("a[href]"))

    return read


def with_lxml():
    lxml_html = need("lxml.html", "lxml")
    parser = lxml_html.HTMLParser(encoding="utf-8")

    def read(page):
        tree = lxml_html.document_fromstring(page, parser=parser)
        return tree.findtext(".//title"), int(tree.xpath("count(//a[@href])"))

    return read


def with_soup(builder):
    bs4 = need("bs4", "beautifulsoup4")
    if builder == "lxml":
        need("lxml")

    def read(page):
        soup = bs4.BeautifulSoup(page.decode(), builder)
        title = soup.title
        return title and title.get_text(), len(soup.find_all("a", href=True))

    return read


class Reader(html.parser.HTMLParser):
    """Builds nothing: keeps the first title and counts links."""

    def __init__(self):
        super().__init__()
        self.links, self.title, self.titles, self.is_open = 0, "", 0, False

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.links += any(name == "href" for name, _ in attributes)
        elif tag == "title":
            self.titles += 1
            self.is_open = self.titles == 1

    def handle_endtag(self, tag):
        if tag == "title":
            self.is_open = False

    def handle_data(self, data):
        if self.is_open:
            self.title += data


def with_html_parser(page):
    reader = Reader()
    reader.feed(page.decode())
    reader.close()
    return reader.title, reader.links


def check(answers, expected):
    """Says how many answers are others, and names one."""
    others = [pair for pair in zip(answers, expected) if pair[0] != pair[1]]
    if others:
        (answer, known), number = others[0], len(others)
        raise SystemExit(
            f"{number} of {len(answers)} answers are others: {answer} for {known}"
        )


def timed(read, folder):
    folder = pathlib.Path(folder)
    pages = [path.read_bytes() for path in sorted(folder.glob("*.html"))]
    expected = json.loads((folder / "answers.json").read_text(encoding="utf-8"))

    def turn(count):
        start = time.perf_counter()
        found = [read(page) for page in islice(cycle(pages), count)]
        answers = [[in_one_line(title), links] for title, links in found]
        took = time.perf_counter() - start
        check(answers, list(islice(cycle(expected), count)))
        return took

    return turn


WAYS = {
    "selectolax": with_selectolax,
    "lxml": with_lxml,
    "soup-lxml": lambda: with_soup("lxml"),
    "soup-html.parser": lambda: with_soup("html.parser"),
    "html.parser": lambda: with_html_parser,
}


def main(way, folder):
    if way not in WAYS:
        raise SystemExit(f"`{way}` is no way")
    serve(timed(WAYS[way](), folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
