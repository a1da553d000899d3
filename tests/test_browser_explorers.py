"""Explorers by mouse, touch and keys, and what they compute in the page."""

import re
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from perfalign.book.cities import Cities, State

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
PHONE = 390
PATIENCE = 30  # seconds; on a busy machine an answer may take some


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


def show_answers(browser):
    """Also explorers that a prediction hides are tried."""
    browser.run(
        "document.querySelector('.predicting button[aria-pressed=false]')"
        "?.click()"
    )


def state_of(browser, i):
    return browser.run(f"({STATE})(({SLIDERS})()[{i}])")


def pages_with(kinds):
    return [
        f"chapters/{path.stem}"
        for path in sorted(CHAPTERS.glob("*.ipynb"))
        if re.search(rf'class=\\"({kinds})\\"', path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("name", pages_with("explorer|cities"))
def test_sliders(name, book, browser):
    """Each moves by keyboard, mouse and touch, and says what is shown."""
    page = (book / f"{name}.html").as_uri()
    for touch in (False, True):
        browser.open(page, PHONE if touch else 1280, touch=touch)
        browser.until(READY)
        show_answers(browser)
        count = browser.run(f"({SLIDERS})().length")
        assert count or browser.run("!!document.querySelector('.cities g')")
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
    name = pages_with("explorer")[0]
    browser.open((book / f"{name}.html").as_uri())
    show_answers(browser)
    first = browser.run(
        f"({SLIDERS})().findIndex((e) => e.closest('figure.explorer'))"
    )
    before = state_of(browser, first)
    browser.run("dispatchEvent(new Event('beforeprint')); 0")
    browser.prefer(media="print")
    printed = browser.run(
        "[...document.querySelectorAll('.frames li')]"
        ".filter((e) => e.getClientRects().length).map((e) => e.textContent)"
    )
    assert len(printed) == len(set(printed)) == before["max"] + 1
    where = f"{before['label']} {before['text']}: {before['alt']}"
    assert where in printed
    after = state_of(browser, first)
    assert after["value"] == before["value"]
    assert after["picture"] == before["picture"]


# ---------------------------------------------------------- computed in a page


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


@pytest.mark.parametrize(
    ("width", "height", "part", "side"),
    [(390, 844, ".maps", "top"), (1280, 900, ".says", "bottom")],
)
def test_the_first_screen_shows_the_maps(landing, width, height, part, side):
    landing.resize(width, height)
    landing.run("scrollTo(0, 0)")
    place = f"document.querySelector('{part}').getBoundingClientRect()"
    assert landing.run(f"{place}.{side}") < height


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
