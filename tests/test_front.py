"""What strangers see first: the picture of the README and of links."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from perfalign.book.cities import Cities
from perfalign.book.front import CHANCE, QUOTE, TRUE, front

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "_static" / "front.png"
SITE = "https://perfalign.github.io/perfalign/"


def test_the_stored_picture_is_the_one_that_is_drawn():
    stored = np.asarray(Image.open(STORED).convert("L"), dtype=int)
    drawn = Image.open(BytesIO(front()._repr_png_())).convert("L")
    assert stored.shape == (630, 1200)
    assert STORED.stat().st_size <= 200_000
    differs = np.abs(stored - np.asarray(drawn, dtype=int)) > 64
    assert differs.mean() < 1e-3  # an edge may move within its pixel


def test_what_the_picture_says_is_so():
    city = Cities(caption="")
    true, chance = map(city.solve, (TRUE, CHANCE))
    assert (TRUE.pairs, CHANCE.pairs) == (12, 5)
    assert true["shared"] == true["evidence"] == 2
    assert chance["shared"] == 2 and chance["evidence"] == 0
    assert max(true["seenError"], true["newError"]) < 1e-12
    assert chance["seenError"] < 1e-12
    assert chance["newError"] > 1


def test_links_show_it():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    meta = config["sphinx"]["config"]["myst_html_meta"]
    assert meta["property=og:image"] == f"{SITE}_static/{STORED.name}"
    assert meta["property=og:image:alt"].startswith(QUOTE.split("\n")[0])
    readme = (ROOT / "README.md").read_text("utf-8")
    (alt,) = re.findall(r"!\[([^]]+)\]\(_static/front\.png\)", readme)
    assert len(alt) > 80
