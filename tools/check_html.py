"""Check the built book: no page needs a network, or an eye, to be read.

    python tools/check_html.py [FOLDER]

Every page and style sheet is searched for resources that a browser would
fetch from elsewhere and for local ones that are not there. Images in the
text must have an alternative text, and no page may be too heavy for a phone.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BOOK = Path(__file__).resolve().parent.parent / "_build" / "html"
MAX_BYTES = 1_200_000
# What a browser fetches to show a page; an <a> is only fetched on a click.
FETCHED = {
    ("audio", "src"),
    ("embed", "src"),
    ("iframe", "src"),
    ("image", "href"),
    ("img", "src"),
    ("input", "src"),
    ("object", "data"),
    ("script", "src"),
    ("source", "src"),
    ("track", "src"),
    ("video", "poster"),
    ("video", "src"),
}
# Links that only tell how pages belong together.
RELATIONS = {
    "author", "canonical", "copyright", "index", "license", "next", "prev",
    "search",
}  # fmt: skip
CSS_URL = re.compile(
    r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", re.IGNORECASE
)


class Page(HTMLParser):
    """Collects what a page fetches, and its images without description."""

    def __init__(self, text):
        super().__init__()
        self.resources = []
        self.undescribed = []
        self.in_style = False
        self.articles = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        for name, value in attributes.items():
            if (tag, name) in FETCHED:
                self.resources.append(value)
        if tag == "link":
            relations = set(attributes.get("rel", "").lower().split())
            if not relations <= RELATIONS:
                self.resources.append(attributes.get("href", ""))
        for candidate in attributes.get("srcset", "").split(","):
            self.resources.extend(candidate.split()[:1])
        self.resources.extend(urls_of_css(attributes.get("style", "")))
        self.in_style = tag == "style"
        self.articles += tag == "article"
        if tag == "img" and self.articles:
            if not attributes.get("alt", "").strip():
                self.undescribed.append(attributes.get("src", "")[:80])

    def handle_endtag(self, tag):
        self.in_style = False
        self.articles -= tag == "article"

    def handle_data(self, text):
        if self.in_style:
            self.resources.extend(urls_of_css(text))


def urls_of_css(text):
    return [first or second for first, second in CSS_URL.findall(text)]


def problems(folder):
    """Yield a line for all that is wrong in a folder of pages."""
    # Below _static lie templates of the theme as well.
    templates = set(folder.glob("_static/**/*.html"))
    pages = sorted(set(folder.rglob("*.html")) - templates)
    if not pages:
        yield f"{folder}: no pages; build the book first"
    for path in pages:
        page = Page(path.read_text(encoding="utf-8"))
        name = path.relative_to(folder)
        yield from missing(name, path, page.resources)
        for source in page.undescribed:
            yield f"{name}: an image without alternative text: {source}"
        if path.stat().st_size > MAX_BYTES:
            yield f"{name}: {path.stat().st_size:,} bytes"
    for path in sorted(folder.rglob("*.css")):
        urls = urls_of_css(path.read_text(encoding="utf-8"))
        yield from missing(path.relative_to(folder), path, urls)


def missing(name, path, urls):
    """Yield a line for each resource that is elsewhere, or nowhere."""
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme == "data":
            continue
        if parts.scheme or parts.netloc:
            yield f"{name}: fetches {url[:120]}"
        elif parts.path and not (path.parent / unquote(parts.path)).exists():
            yield f"{name}: refers to {url[:120]}, which is not there"


def main(arguments):
    found = list(problems(Path(arguments[0]) if arguments else BOOK))
    print("\n".join(found) or "The pages need nothing from elsewhere.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
