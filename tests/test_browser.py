"""The pages as a reader meets them: in a browser, by mouse, touch and keys.

The book is built afresh and opened from the disk in a headless Chromium.
Where there is none, this is skipped, unless ``PERFALIGN_BROWSER=required``.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from perfalign.book.exercises import check, question, questions
from perfalign.book.predictions import predict, predictions

ROOT = Path(__file__).resolve().parent.parent
AXE = (ROOT / "tests" / "axe" / "axe.min.js").read_text("utf-8")
PHONE = 390
MAX_STOPS = 60
WAYS = ["keys", "mouse", "touch"]


def names_of_pages():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    listed = [
        page["file"] for p in contents["parts"] for page in p["chapters"]
    ]
    files = [contents["root"], *listed]
    return [*files, "genindex", "search", "prf-prf"]


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
# Of the options of a choice, the tab key stops at one.
STOPS = """(() => {
  const seen = (e) => e.tabIndex >= 0 && !e.disabled
    && (e.type !== "radio" || e.matches("li:first-child *"))
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


# Of what lies between a form and its end: what is seen, and what is not
# though nothing but the form hides it.
STRETCH = """(i) => {
  const cell = document.querySelectorAll(".predicts")[i].closest(".cell");
  const { name } = cell.querySelector(".predicts").dataset;
  const first = (path) => document.evaluate(
    path, cell, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue;
  const end = first(`following::comment()[normalize-space() = "seen ${name}"]`)
    ?? first("following::*[self::h2 or self::h3 or self::h4]");
  const stretch = document.createRange();
  stretch.setStartAfter(cell);
  if (end) stretch.setEndBefore(end);
  else stretch.setEndAfter(cell.closest("article").lastChild);
  const others = "script, style, .unseen, .frames, mjx-container, button, " +
    "label[hidden], " +
    "summary, details:not([open]) > :not(summary), .headerlink, " +
    ".toggle-hidden";
  const walker = document.createTreeWalker(cell.closest("article"));
  const found = { seen: [], lost: [] };
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.nodeType === Node.TEXT_NODE && node.data.trim();
    const drawn = /^(img|svg|canvas)$/i.test(node.nodeName);
    if (!(text || drawn) || !stretch.intersectsNode(node)) continue;
    if (node.parentElement.closest(others)) continue;
    const place = document.createRange();
    place.selectNode(node);
    const shown = place.getClientRects().length;
    found[shown ? "seen" : "lost"].push(text || node.nodeName);
  }
  return found;
}"""


def seen(browser, i):
    return browser.run(STRETCH, i)["seen"]


def lost(browser, i):
    return browser.run(STRETCH, i)["lost"]


def expected_forms(page):
    """Predictions of a chapter, and what its exercises ask for in words."""
    chapter = page.removeprefix("chapters/")[:2]
    if not chapter.isdigit():
        return []
    asked = [n for n in questions() if n.startswith(f"{int(chapter)}.")]
    return predictions(int(chapter)) + [
        number for number in asked if hasattr(question(number), "data")
    ]


def try_forms(browser, expected):
    """Predictions hide until there is an answer; all say what is right."""
    names = browser.run(
        "[...document.querySelectorAll('.asks')].map((e) => e.dataset.name)"
    )
    assert sorted(names) == sorted(expected)
    hiding = browser.run(
        "[...document.querySelectorAll('.predicts')]"
        ".map((e) => e.dataset.name)"
    )
    stretches = {name: i for i, name in enumerate(hiding)}
    for i in stretches.values():
        assert lost(browser, i)
        assert not seen(browser, i)
    browser.prefer(media="print")
    for i in stretches.values():
        assert not lost(browser, i)
    browser.prefer()
    for way in WAYS if names else []:
        browser.resize(1280, 900, touch=way == "touch")
        for k, name in enumerate(names):
            right = answer(browser, k, name, way)
            told = f"document.querySelectorAll('.asks .said')[{k}].textContent"
            browser.until(f"{told} === {json.dumps(right)}")
            if name in stretches:
                assert seen(browser, stretches[name])
        if way == "touch":
            break
        for name in reversed(hiding):
            push(browser, names.index(name), "[type=submit]", 0, way)
            i = stretches[name]
            browser.until(f"!({STRETCH})({i}).seen.length")
    for i in stretches.values():
        assert not lost(browser, i)


def answer(browser, k, name, way):
    """Give an answer in one of three ways; what should be said of it."""
    number = WAYS.index(way) + 1
    data = json.loads(
        browser.run(
            f"document.querySelectorAll('.asks script')[{k}].textContent"
        )
    )
    kind = data["kind"]
    if kind == "choice":
        given = number % len(data["verdicts"])
        push(browser, k, "label" if way == "touch" else "input", given, way)
    elif kind == "order":
        push(browser, k, "ol button", 1, way)
        given = predict(name).kind.offers()
        given[:2] = given[1::-1]
    else:
        given = [str(number + i) for i in range(len(data["fields"]))]
        for i, text in enumerate(given):
            push(browser, k, "input", i, way, typed=text)
    push(browser, k, "[type=submit]", 0, way)
    if kind == "computed":
        return repr(check(name, *map(float, given)))
    if "right" not in data and kind == "choice":
        return repr(check(name, "abcdef"[given]))
    return predict(name).verdict(given).replace("`", "")


def push(browser, k, selector, i, way, typed=None):
    """Use a control of a form as a reader would."""
    target = (
        f"document.querySelectorAll('.asks')[{k}]"
        f".querySelectorAll('{selector}')[{i}]"
    )
    left, top, right, bottom = browser.run(
        f"(() => {{ const e = {target};"
        " e.scrollIntoView({block: 'center', behavior: 'instant'});"
        " const box = e.getBoundingClientRect();"
        " return [box.left, box.top, box.right, box.bottom]; })()"
    )
    if way == "keys":
        browser.run(f"{target}.focus()")
        if typed is None:
            browser.press("Space")
    else:
        point = [(left + right) / 2, (top + bottom) / 2]
        browser.drag(point, point, steps=1, touch=way == "touch")
    if typed is not None:
        browser.until(f"document.activeElement === {target}")
        browser.run(f"{target}.select()")
        browser.type(typed)


@pytest.mark.parametrize("name", names_of_pages())
def test_page(name, book, browser):
    browser.forget()
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
    try_forms(browser, expected_forms(name))
    browser.resize(1280, 900)
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


def test_rockets_lead_to_notebooks_and_edits_to_the_source(book):
    rockets = 0
    for page in (book / "chapters").glob("*.html"):
        text = page.read_text("utf-8")
        launched = re.findall(r'"(https://(?:mybinder|colab)[^"]+)"', text)
        for address in set(launched):
            assert re.search(r"/notebooks\b", address)
            assert address.endswith(f"/chapters/{page.stem}.ipynb")
        (edited,) = set(re.findall(r'"(https://[^"]+/edit/[^"]+)"', text))
        assert f"/edit/main/chapters/{page.stem}." in edited
        rockets += len(set(launched))
    assert rockets == 2 * len([*(ROOT / "chapters").glob("*.ipynb")])
