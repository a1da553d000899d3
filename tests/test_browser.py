"""The pages as a reader meets them: in a browser, by mouse, touch and keys.

The book is built afresh and opened from the disk in a headless Chromium.
Where there is none, this is skipped, unless ``PERFALIGN_BROWSER=required``.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from perfalign.book.cities import Cities, State
from tools.browser import Browser, executable

ROOT = Path(__file__).resolve().parent.parent
AXE = (ROOT / "tests" / "axe" / "axe.min.js").read_text("utf-8")
PHONE = 390
MAX_STOPS = 60
PATIENCE = 30  # seconds; on a busy machine an answer may take some


def names_of_pages():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    listed = [
        page["file"] for p in contents["parts"] for page in p["chapters"]
    ]
    files = [contents["root"], *listed]
    return [*files, "genindex", "search", "prf-prf"]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Folder of the built book."""
    if executable() is None:
        reason = "no Chromium or Chrome is found; CHROME may name one"
        if os.environ.get("PERFALIGN_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("book")
    program = "from jupyter_book.cli.main import main; main()"
    # What it warns of is the business of `make book`.
    done = subprocess.run(
        [sys.executable, "-c", program, "build", ROOT]
        + ["--path-output", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def browser(book):
    with Browser() as found:
        yield found


@pytest.fixture
def landing(book, browser):
    """The browser, with the landing page open and its explorer in view."""
    return on_landing_page(book, browser)


def on_landing_page(book, browser, touch=False):
    browser.open(
        (book / "chapters" / "intro.html").as_uri(),
        PHONE if touch else 1280,
        touch=touch,
    )
    browser.until("!!self.perfalign?.live?.[0].found")
    browser.run(
        "document.querySelector('.maps').scrollIntoView("
        "{block: 'center', behavior: 'instant'})"
    )
    return browser


# ----------------------------------------------------------------- all pages

CUT = """[...document.querySelectorAll("article *")].filter((e) => {
  const style = getComputedStyle(e);
  return !e.closest(".math, .unseen, svg")
    && !["inline", "none"].includes(style.display)
    && style.overflowX !== "auto" && style.overflowX !== "scroll"
    && e.getClientRects().length && e.clientWidth > 0
    && e.scrollWidth > e.clientWidth + 3;
}).map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 60)}`)"""
# What a formula draws, and nothing of what it says to those who listen.
CUT_FORMULAS = """[...document.querySelectorAll(".math")].filter((e) => {
  const drawn = e.querySelector("mjx-container > svg");
  return e.clientWidth && drawn
    && drawn.getBoundingClientRect().width > e.clientWidth + 1
    && getComputedStyle(e).overflowX !== "auto";
}).map((e) => e.textContent.slice(0, 60))"""
OUT_OF_REACH = """[...document.querySelectorAll("article *")].filter((e) =>
  ["auto", "scroll"].includes(getComputedStyle(e).overflowX)
  && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
  && !e.querySelector("a, button, input")
).map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 60)}`)"""
STOPS = """(() => {
  const seen = (e) => e.tabIndex >= 0 && !e.disabled
    && e.getClientRects().length
    && getComputedStyle(e).visibility !== "hidden";
  const stops = [...document.querySelectorAll("body *")].filter(seen);
  const first = document.querySelector("figure:is(.explorer, .cities)");
  return first ? stops.findIndex((e) => first.contains(e)) : null;
})()"""
VIOLATIONS = """async (rules) => {
  const context = { include: ["article"], exclude: ["mjx-container"] };
  const found = await axe.run(context, {
    preload: false,
    resultTypes: ["violations"],
    ...(rules && { runOnly: rules }),
  });
  return found.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 200)}`));
}"""


@pytest.mark.parametrize("name", names_of_pages())
def test_page(name, book, browser):
    browser.open((book / f"{name}.html").as_uri())
    outside = [
        address
        for address in browser.requests
        if not address.startswith(("file:", "data:", "blob:"))
    ]
    assert not outside
    assert not browser.complaints
    assert (browser.run(STOPS) or 0) <= MAX_STOPS
    if browser.run("!document.querySelector('article')"):
        return
    browser.run(AXE + "; 0")
    assert not browser.run(VIOLATIONS, None)
    # Colours between two themes are those of neither.
    browser.run(
        "document.head.append(Object.assign(document.createElement('style'),"
        " {textContent: '* { transition: none !important; }'}))"
    )
    browser.run("document.documentElement.dataset.theme = 'dark'")
    assert not browser.run(VIOLATIONS, ["color-contrast"])

    browser.resize(PHONE, 844, touch=True)
    browser.run(
        "new Promise((done) => requestAnimationFrame("
        "() => setTimeout(done, 100)))"
    )
    assert browser.run("document.documentElement.scrollWidth") <= PHONE
    assert not browser.run(CUT)
    assert not browser.run(CUT_FORMULAS)
    assert not browser.run(OUT_OF_REACH)
    assert not browser.complaints


# ----------------------------------------------------------------- explorers

SLIDERS = """() => [...document.querySelectorAll("article input[type=range]")]
  .filter((e) => e.getClientRects().length)"""
STATE = """(slider) => {
  const figure = slider.closest("figure");
  const box = slider.getBoundingClientRect();
  return {
    value: Number(slider.value), min: Number(slider.min),
    max: Number(slider.max), text: slider.getAttribute("aria-valuetext"),
    label: slider.ariaLabel,
    shown: slider.parentElement.querySelector("output").textContent,
    picture: figure.querySelector("img")?.src
      ?? [...figure.querySelectorAll("svg")].map((e) => e.innerHTML).join(),
    alt: figure.querySelector("img")?.alt
      ?? figure.querySelector(".says").textContent,
    box: [box.left, box.top, box.right, box.bottom],
  };
}"""
READY = """!document.querySelector(".cities")
  || !!self.perfalign?.live?.[0].found"""
CHANGES = ["value", "text", "picture"]
SAID = """(figure) => {
  const said = figure.querySelector("[aria-live=polite]").textContent;
  const image = figure.querySelector("img");
  return said === (image?.alt ?? figure.querySelector(".says").textContent);
}"""


def state_of(browser, i):
    return browser.run(f"({STATE})(({SLIDERS})()[{i}])")


def explorer_pages():
    return [
        f"chapters/{path.stem}"
        for path in sorted((ROOT / "chapters").glob("*.ipynb"))
        if re.search(r'class=\\"(explorer|cities)\\"', path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("name", explorer_pages())
def test_sliders(name, book, browser):
    """Each moves by keyboard, mouse and touch, and says what is shown."""
    for touch in (False, True):
        browser.open(
            (book / f"{name}.html").as_uri(),
            PHONE if touch else 1280,
            touch=touch,
        )
        browser.until(READY)
        count = browser.run(f"({SLIDERS})().length")
        assert count
        for i in range(count):
            browser.run(
                f"({SLIDERS})()[{i}].scrollIntoView("
                "{block: 'center', behavior: 'instant'})"
            )
            check_slider(browser, i, touch)


def eventually(ask, wanted):
    """An answer, as soon as it is the wanted one; the last one if never."""
    end = time.monotonic() + PATIENCE
    while not wanted(answer := ask()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


def check_slider(browser, i, touch):
    def after(first):
        return eventually(
            lambda: state_of(browser, i),
            lambda now: all(now[key] != first[key] for key in CHANGES),
        )

    first = state_of(browser, i)
    up = first["value"] < first["max"]
    if not touch:
        browser.run(f"({SLIDERS})()[{i}].focus()")
        browser.press("ArrowRight" if up else "ArrowLeft")
        moved = after(first)
        assert (moved["value"] > first["value"]) == up
        assert moved["text"] == moved["shown"] != first["text"]
        assert moved["picture"] != first["picture"]
        first, up = moved, moved["value"] < moved["max"]
    left, top, right, bottom = first["box"]
    x = right - 2 if up else left + 2
    point = [x, (top + bottom) / 2]
    browser.drag(point, point, steps=1, touch=touch)
    moved = after(first)
    assert moved["value"] == (moved["max"] if up else moved["min"])
    assert moved["picture"] != first["picture"]
    # Announced a little later, when the slider has come to rest.
    figure = f"({SLIDERS})()[{i}].closest('figure')"
    browser.until(f"(({SAID})({figure}))")


def test_print_says_what_each_position_shows(book, browser):
    browser.open((book / "chapters" / "11-a-million-rows.html").as_uri())
    before = state_of(browser, 0)
    browser.run("dispatchEvent(new Event('beforeprint')); 0")
    browser.prefer(media="print")
    printed = browser.run(
        "[...document.querySelectorAll('.frames li')]"
        ".filter((e) => e.getClientRects().length).map((e) => e.textContent)"
    )
    assert len(printed) == len(set(printed)) == before["max"] + 1
    where = f"{before['label']} {before['text']}: {before['alt']}"
    assert where in printed
    after = state_of(browser, 0)
    assert after["value"] == before["value"]
    assert after["picture"] == before["picture"]


# ---------------------------------------------------------- computed in a page


def random_state(city, rng, pairs):
    def moved():
        places = rng.choice(len(city.places), rng.integers(0, 4), False)
        return {int(i): rng.normal(size=2).tolist() for i in places}

    return State(
        pairs=pairs,
        shift=int(rng.choice([0, 0, 1, 3])),
        own=tuple(rng.integers(0, 4, size=2).tolist()),
        silent=bool(rng.integers(2)),
        lean=float(rng.integers(0, 91)),
        turn=float(rng.integers(-180, 181)),
        moved=(moved(), moved()),
    )


@pytest.mark.parametrize(
    ("n_places", "sizes"), [(18, range(4, 15)), (204, [30, 200])]
)
def test_the_page_computes_what_the_package_does(landing, n_places, sizes):
    city = Cities(n_places, pairs=(4, 6, sizes[-1]), caption="")
    rng = np.random.default_rng(0)
    for pairs in [*sizes] * 4:
        state = random_state(city, rng, pairs)
        fresh = landing.run("perfalign.city.solve", city.data(), asdict(state))
        expected = city.solve(state)
        for name, value in expected.items():
            np.testing.assert_allclose(
                np.concatenate([np.ravel(part) for part in [*fresh[name]]])
                if isinstance(value, list)
                else fresh[name],
                np.concatenate([np.ravel(part) for part in value])
                if isinstance(value, list)
                else value,
                rtol=1e-9,
                atol=1e-9,
                err_msg=f"{name} of {state}",
            )


PIN = """(m, i) => {
  const pin = document.querySelectorAll(`.view${m} .pin .spot`)[i];
  const box = pin.getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}"""
FOUND = "perfalign.live[0].found"


def expect(browser, shared, least=0.0, most=np.inf):
    """Wait for so many shared signals, and pairs that miss by so much."""
    found = eventually(
        lambda: browser.run(f"[{FOUND}.shared, {FOUND}.seenError]"),
        lambda now: now[0] == shared and least <= now[1] < most,
    )
    assert found[0] == shared
    assert least <= found[1] < most


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("view", [1, 2])
def test_pins_are_dragged(book, browser, view, touch):
    landing = on_landing_page(book, browser, touch)
    expect(landing, shared=2, most=1e-12)
    start = landing.run(PIN, view, 2)
    end = [start[0] + 25, start[1] + 10]
    landing.drag(start, end, touch=touch)
    # What is across the move is agreed on still.
    expect(landing, shared=1, least=0.01)
    place = eventually(
        lambda: landing.run(PIN, view, 2),
        lambda now: np.hypot(*np.subtract(now, end)) < 1,
    )
    np.testing.assert_allclose(place, end, atol=1)
    landing.until("document.querySelector('.cities [aria-live=polite]')"
                  ".textContent.includes('one dimension')")  # fmt: skip


def test_pins_are_moved_by_keys(landing):
    landing.run(
        "document.querySelector('.view2 .pin[tabindex=\"0\"]').focus()"
    )
    landing.press("PageDown")
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        landing.press(key)
    expect(landing, shared=1, least=0.01)
    name, position = landing.run(
        "[document.activeElement.ariaLabel,"
        " document.activeElement.getAttribute('aria-valuetext')]"
    )
    assert name == "place B on map 2"
    assert landing.run("perfalign.live[0].state.moved[1][1]") == [0.05, 0.1]
    assert "across" in position


def test_buttons(landing):
    def click(name):
        landing.run(
            "(name) => [...document.querySelectorAll('.cities button')]"
            ".find((e) => e.textContent === name).focus()",
            name,
        )
        landing.press("Space")

    click("shuffle the pairs")
    expect(landing, shared=0, least=0.1)
    click("shuffle the pairs")
    expect(landing, shared=2, most=1e-12)
    before = landing.run(f"{FOUND}.nullity")
    click("add a silent channel")
    landing.until(f"{FOUND}.nullity === {before} + 1")
    click("start again")
    landing.until(f"{FOUND}.nullity === {before}")


def test_motion_is_reduced_on_request(landing):
    landing.prefer(still=True)
    landing.run("perfalign.live[0].shuffle.click()")
    expect(landing, shared=0)
    assert landing.run(
        "perfalign.live[0].overlay.shown === perfalign.live[0].found.latents"
    )


def test_without_scripts_a_picture_stays(book, browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open((book / "chapters" / "intro.html").as_uri())
        image = browser.run(
            "(() => { const e = document.querySelector('.cities img');"
            "return [e.naturalWidth, e.alt]; })()"
        )
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert image[0] > 300
    assert image[1].startswith("Two maps of the same")
