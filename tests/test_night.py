"""Figures in the dark theme: no glaring cards, one meaning a colour, legible.

A style sheet turns their lightness over (see _static/book.css); pictures of
things are left as they are, on a card.
"""

import base64
import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from PIL import Image

from perfalign.book.plots import style

ROOT = Path(__file__).resolve().parent.parent
SHEET = (ROOT / "_static" / "book.css").read_text("utf-8")
PLOTS = ROOT / "perfalign" / "book" / "plots"
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
GROUND = 18 / 255  # of the theme's pages at night, #121212
# Of all that a figure says in words; what is grey, grey ground and a band of
# grey remain so.
LIGHTNESS = re.compile(
    r"\b(black|white|dark|darker|darkest|pale|paler|lighter|lightest)\b",
    re.IGNORECASE,
)


# -------------------------------------------------------------- the colours


def turned(colors):
    """What the filter of the sheet makes of colours; from its definition."""
    (amount,) = re.findall(r"invert\((.+)%\) hue-rotate\(180deg\)", SHEET)
    amount = float(amount) / 100
    rgb = np.asarray(colors, dtype=float)
    inverted = amount + rgb * (1 - 2 * amount)
    # https://drafts.fxtf.org/filter-effects/#feColorMatrixElement
    grey = np.array([0.213, 0.715, 0.072])
    rotation = 2 * np.tile(grey, (3, 1)) - np.eye(3)
    return np.clip(inverted @ rotation.T, 0, 1)


def contrast(one, other):
    def luminance(color):
        rgb = np.asarray(color)
        low, high = rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
        return np.where(rgb > 0.04045, high, low) @ [0.2126, 0.7152, 0.0722]

    pair = luminance(one) + 0.05, luminance(other) + 0.05
    return np.maximum(*pair) / np.minimum(*pair)


def at_night(color):
    return contrast(turned(to_rgb(color)), GROUND * np.ones(3))


def cells():
    for path in CHAPTERS:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            yield path.stem, cell


# Areas that have an outline in another colour.
FILLS = {"#d5d5d5", "#eeeeee"}
SOURCES = [
    *(path.read_text("utf-8") for path in PLOTS.glob("*.py")),
    *("".join(c["source"]) for _, c in cells() if c["cell_type"] == "code"),
]
LINES = {
    color.lower()
    for source in SOURCES
    for color in re.findall(r'"(#[0-9A-Fa-f]{6})"', source)
} - FILLS


def test_paper_becomes_the_ground_of_the_page():
    np.testing.assert_allclose(turned(np.ones(3)), GROUND, atol=0.5 / 255)


def test_lines_and_marks_stand_out_at_night():
    assert len(LINES) >= 12
    for color in LINES:
        assert at_night(color) >= 3, color
    for color in (*style.VIEW, style.SHARED):
        for shade in style.shades(color, 4):
            assert contrast(shade, np.ones(3)) >= 3
            assert at_night(shade) >= 3


def test_letters_are_legible_at_night():
    for color in LINES | {style.GREY}:
        _, (ax,) = style.panels()
        style.note(ax, "a name", (0, 0), (0, 0), color)
        assert at_night(ax.texts[0].get_color()) >= 4.5, color


@pytest.mark.parametrize(
    ("by_day", "live"),
    [(style.VIEW[0], "one"), (style.VIEW[1], "two"), (style.SHARED, "both")],
)
def test_a_figure_has_the_colours_of_the_live_explorers(by_day, live):
    """Its hues, to ten degrees; and as light as these, nearly."""
    night = re.search(r'dark"\] figure.cities \{(.*?)\}', SHEET, re.DOTALL)[1]
    there = to_rgb(re.search(rf"--{live}: (#\w+)", night)[1])
    here = turned(to_rgb(by_day))
    degrees = 360 * (rgb_to_hsv(here)[0] - rgb_to_hsv(there)[0])
    assert abs((degrees + 180) % 360 - 180) < 10
    assert contrast(here, there) < 1.25


def test_numbers_on_a_map_are_legible_by_day_and_at_night():
    """They have a halo in the colour of the page, whatever lies below."""
    halo = style.halo()[0]._gc["foreground"]
    assert contrast(to_rgb(halo), to_rgb(style.BLACK)) >= 4.5
    night = turned(to_rgb(halo)), turned(to_rgb(style.BLACK))
    assert contrast(*night) >= 4.5


# -------------------------------------------------------- what is stored


def stored():
    """(chapter, cell, image) of each figure that the book has stored."""
    for name, cell in cells():
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get("image/png")
            if data:
                yield name, cell, pixels(base64.b64decode("".join(data)))


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")) / 255


def n_hues(image):
    """How many of 36 hues cover a thousandth of an image or more."""
    hsv = rgb_to_hsv(image.reshape(-1, 3))
    coloured = hsv[(hsv[:, 1] > 0.3) & (hsv[:, 2] > 0.3)]
    found = np.bincount((36 * coloured[:, 0]).astype(int) % 36)
    return int(np.sum(found > 1e-3 * len(hsv)))


def test_pictures_of_things_are_tagged_and_nothing_else_is():
    """Figures have at most four hues, which have a meaning; pictures more."""
    for name, cell, image in stored():
        tagged = "pictures" in cell["metadata"].get("tags", [])
        assert tagged == (n_hues(image) > 4), (name, cell["id"])


def said_of(cell):
    about = cell["metadata"].get("mystnb", {})
    yield about.get("image", {}).get("alt", "")
    yield about.get("figure", {}).get("caption", "")
    for output in cell["outputs"]:
        page = "".join(output.get("data", {}).get("text/html", ""))
        if 'class="explorer' in page:
            yield from re.findall(r'alt="(.*?)"', page)
            yield from re.findall(r"<figcaption.*?</figcaption>", page)
            for frame in json.loads(re.search(r"frames = (.*);", page)[1]):
                yield frame[1] if frame else ""


def test_what_is_said_of_a_figure_holds_by_day_and_at_night():
    for name, cell, _ in stored():
        if "pictures" not in cell["metadata"].get("tags", []):
            for text in said_of(cell):
                assert not LIGHTNESS.search(text), (name, cell["id"], text)


# ------------------------------------------------------------- in a browser

# Nothing is left but the figures, with what predictions and folds hide, so
# that one photograph holds a page.
SETTLE = """async (theme) => {
  document.head.append(Object.assign(document.createElement("style"),
    { textContent: `* { transition: none !important; }
      article *:not(:has(img), img) { display: none !important; }` }));
  document.querySelector(".predicting button[aria-pressed=false]")?.click();
  document.documentElement.dataset.theme = theme;
  for (const fold of document.querySelectorAll("article details")) {
    fold.open = true;
  }
  const images = [...document.querySelectorAll("article .cell_output img")];
  await Promise.all(images.map((e) => e.decode()));
}"""
FIGURES = """[...document.querySelectorAll("article .cell_output img")]
  .filter((e) => e.getClientRects().length).map((e) => {
  const box = e.getBoundingClientRect();
  return {
    box: [box.x + scrollX, box.y + scrollY, box.right + scrollX,
          box.bottom + scrollY],
    tagged: !!e.closest(".tag_pictures"),
    filter: getComputedStyle(e).filter,
  };
})"""
LIVE = """[...document.querySelectorAll(".live svg")].every((e) => {
  for (; e; e = e.parentElement) {
    if (getComputedStyle(e).filter !== "none") return false;
  }
  return true;
})"""
PAGE = "getComputedStyle(document.body).backgroundColor"


def photograph(browser):
    height = browser.run("document.documentElement.scrollHeight")
    assert height < 16_000  # what a browser paints in one piece
    clip = {"x": 0, "y": 0, "width": 1280, "height": height, "scale": 1}
    return pixels(browser.picture(clip=clip, captureBeyondViewport=True))


def rim(image):
    """Median colour along the four edges, a little inside."""
    strips = image[2:5], image[-5:-2], image[:, 2:5], image[:, -5:-2]
    return np.median(np.concatenate([s.reshape(-1, 3) for s in strips]), 0)


def still_figures(name):
    """How many a chapter has that no script replaces."""
    return sum(
        "image/png" in output.get("data", {})
        and 'class="cities' not in str(output["data"].get("text/html"))
        for stem, cell in cells()
        if stem == name
        for output in cell.get("outputs", [])
    )


@pytest.mark.parametrize("name", [path.stem for path in CHAPTERS])
def test_figures_have_the_ground_of_the_page(name, book, browser):
    """At night to 4 of 255, their mean below 0.4; by day they are as drawn."""
    browser.open((book / "chapters" / f"{name}.html").as_uri())
    browser.run(SETTLE, "light")
    by_day = browser.run(FIGURES)
    assert len(by_day) == still_figures(name)
    assert all(figure["filter"] == "none" for figure in by_day)
    browser.run(SETTLE, "dark")
    assert browser.run(PAGE) == "rgb(18, 18, 18)"
    assert browser.run(LIVE)
    at_night, page = browser.run(FIGURES), photograph(browser)
    assert len(at_night) == len(by_day)
    for figure in at_night:
        left, top, right, bottom = map(round, figure["box"])
        image = page[top:bottom, left:right]
        if figure["tagged"]:
            assert "invert" not in figure["filter"]
            assert 0.5 < rim(image).min() < 0.75
        else:
            assert np.abs(rim(image) - GROUND).max() <= 4 / 255
            assert image.mean() < 0.4
    browser.prefer(media="print")
    assert not any("invert" in f["filter"] for f in browser.run(FIGURES))
    browser.prefer()


INKS = """[...document.querySelectorAll(".live .pin")].map((pin) => {
  const [, spot, text] = pin.children;
  const { fill, stroke } = getComputedStyle(spot);
  return { letter: getComputedStyle(text).fill, fill, stroke };
})"""
GROUNDS = """[...document.querySelectorAll(".live .map svg")].map(
  (e) => getComputedStyle(e).backgroundColor)"""


def rgb(css):
    return np.array([*map(int, re.findall(r"\d+", css)[:3])]) / 255


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_maps_lie_on_the_ground_of_the_page(theme, book, browser):
    browser.open((book / "chapters" / "intro.html").as_uri())
    browser.until("!!self.perfalign?.live?.[0].found")
    browser.run(f"document.documentElement.dataset.theme = '{theme}'")
    ground = browser.run(PAGE)
    assert browser.run(GROUNDS) == 3 * [ground]
    for ink in browser.run(INKS):
        assert contrast(rgb(ink["letter"]), rgb(ink["fill"])) >= 4.5
        assert contrast(rgb(ink["stroke"]), rgb(ground)) >= 3


SEEN = """addEventListener("beforeprint", () => {
  const { color } = getComputedStyle(document.querySelector("article p"));
  const filters = [...document.querySelectorAll("article .cell_output img")]
    .map((e) => getComputedStyle(e).filter);
  const { theme } = document.documentElement.dataset;
  self.printed = { color, filters, theme };
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_printed_is_printed_as_by_day(theme, book, browser):
    browser.open((book / "chapters" / "03-existence.html").as_uri())
    browser.run(f"document.documentElement.dataset.theme = '{theme}'")
    browser.run(SEEN)
    browser.call("Page.printToPDF")
    browser.until("document.documentElement.dataset.theme === '" + theme + "'")
    printed = browser.run("printed")
    assert printed["theme"] == "light"
    assert contrast(rgb(printed["color"]), np.ones(3)) >= 7
    assert set(printed["filters"]) <= {"none"}
