"""Forms hide, answer, remember and let themselves be skipped.

The page is one of their own, with the scripts and styles of the book.
"""

import json
import shutil
from pathlib import Path

import pytest

from perfalign.book.predictions import Prediction
from perfalign.book.predictions._read import kind

ROOT = Path(__file__).parents[1]
ENTRIES = {
    "1.choice": {
        "kind": "choice",
        "options": [
            {"text": "red", "reason": "No, `x`."},
            {"text": "blue", "reason": "Yes.", "right": True},
            {"text": "a & b < c", "reason": "Neither."},
        ],
    },
    "1.numbers": {
        "kind": "numbers",
        "reason": "So.",
        "fields": [
            {"label": "first", "answer": 11},
            {"label": "second", "answer": 0.5, "unit": "%", "tol": 0.1},
        ],
        "mistakes": [
            {"said": [10, "any"], "reason": "The mean."},
            {"said": [[12, float("inf")], "any"], "reason": "Too many."},
            {"said": ["any", [-1, 0]], "reason": "Not negative."},
        ],
    },
    "1.order": {
        "kind": "order",
        "items": ["b", "a", "c", "d"],
        "reason": "So.",
        "mistakes": [{"before": ["c", "b"], "reason": "c is not first."}],
    },
}
MADE = {
    name: Prediction(name, f"What of `{name}`?", kind(entry))
    for name, entry in ENTRIES.items()
}
PAGE = """<!doctype html><html lang="en" data-theme="light"><title>Page</title>
<link rel="stylesheet" href="_static/book.css">
<script src="_static/form.js"></script>
<script src="_static/verdict.js"></script>
<article class="bd-article"><h1>Title</h1>
<section><h2>A</h2>
<div class="cell"><div class="cell_output">{1.choice}</div></div>
<p id="one">one</p>
<section id="inner"><h3>Inner</h3><p id="free">free</p></section></section>
<section id="second"><h2>B</h2>
<div class="cell"><div class="cell_output">{1.numbers}</div></div>
<figure><p id="two">two</p></figure>
<section><h3>B1</h3>
<div class="cell"><div class="cell_output">{1.order}</div></div>
<p id="three">three</p><div><p id="four">four</p>
<!-- seen 1.numbers -->
<p id="five">five</p></div></section></section>
<section><h2 id="heading">C</h2><p id="six">six</p>
<div><p id="seven">seven</p>
<!-- seen 1.order -->
<p id="eight">eight</p></div></section>
<p><a href="#six">to what is hidden</a></p>
</article></html>"""
WORDS = "one free two three four five six seven eight".split()
CHOICE, NUMBERS, ORDER = range(3)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "_static", folder / "_static")
    text = PAGE
    for name, made in MADE.items():
        text = text.replace(f"{{{name}}}", made._repr_html_())
    (folder / "page.html").write_text(text, "utf-8")
    return (folder / "page.html").as_uri()


@pytest.fixture
def page(browser, address):
    browser.forget()
    browser.open("about:blank")
    browser.open(address)
    yield browser
    assert not browser.complaints


def shown(browser):
    return browser.run(
        "(words) => words.filter((id) =>"
        " document.getElementById(id).getClientRects().length)",
        WORDS,
    )


def without(*hidden):
    return [word for word in WORDS if word not in hidden]


def said(browser, i):
    return browser.run(f"document.querySelectorAll('.said')[{i}].innerText")


def click(browser, i, selector="[type=submit]", n=0):
    browser.run(
        f"document.querySelectorAll('.asks')[{i}]"
        f".querySelectorAll('{selector}')[{n}].click()"
    )


def fill(browser, *numbers):
    for n, number in enumerate(numbers):
        browser.run(
            f"document.querySelectorAll('[type=text]')[{n}].value ="
            f" {json.dumps(number)}"
        )
    click(browser, NUMBERS)


LATER = "two", "three", "four", "five", "six", "seven"


def test_each_hides_up_to_its_comment_or_the_next_heading(page):
    assert shown(page) == without("one", *LATER)
    click(page, CHOICE, "input", 2)
    assert shown(page) == without("one", *LATER)
    click(page, CHOICE)
    assert shown(page) == without(*LATER)
    fill(page, "11", "0.5")
    # What two of them hide is shown when both have been answered.
    assert shown(page) == without("three", "four", "five", "six", "seven")
    click(page, ORDER)
    assert shown(page) == WORDS
    click(page, NUMBERS)
    assert shown(page) == without("two", "three", "four")


def test_what_is_hidden_is_out_of_reach(page):
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    read = {node.get("name", {}).get("value") for node in tree}
    assert "free" in read
    assert not {"one", "two", "three", "six"} & read


def test_verdicts(page):
    for answer in (2, 0):
        click(page, CHOICE, "input", answer)
        click(page, CHOICE)
        assert said(page, CHOICE) == MADE["1.choice"].verdict(answer).replace(
            "`", ""
        )
        click(page, CHOICE)
    assert page.run("document.querySelectorAll(':checked').length") == 0
    assert said(page, CHOICE) == ""


def test_numbers_as_readers_write_them(page):
    fill(page, " 10 ", "0,45 %")
    assert said(page, NUMBERS) == MADE["1.numbers"].verdict(["10", "0.45"])


def test_what_is_missing_is_said_and_looked_at(page):
    click(page, CHOICE)
    assert said(page, CHOICE) == "Choose one of the answers."
    for bad in ("", "many", "Infinity"):
        fill(page, "11", bad)
        assert said(page, NUMBERS) == "A number is missing: second."
        assert page.run("document.activeElement.value") == bad
    assert shown(page) == without("one", *LATER)


def test_an_order_is_made_by_keys(page):
    fill(page, "1", "1")
    page.run("document.querySelectorAll('ol button')[1].focus()")
    page.press("Space")
    page.press("Enter")
    items = "[...document.querySelectorAll('ol span')].map((e) => e.innerText)"
    assert page.run(items) == ["b", "c", "a", "d"]
    assert page.run("document.activeElement.ariaLabel") == "a: down"
    click(page, ORDER)
    assert said(page, ORDER) == MADE["1.order"].verdict(["b", "c", "a", "d"])


def test_the_verdict_is_announced_and_the_form_has_a_name(page):
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node.get("role", {}).get("value") for node in tree]
    names = [node.get("name", {}).get("value") for node in tree]
    assert roles.count("status") == 2  # the third is hidden yet
    assert "What of 1.choice?" in names
    click(page, CHOICE, "input", 1)
    page.run("document.querySelector('[type=submit]').focus()")
    page.press("Enter")
    assert page.run("document.activeElement.innerText") == "ask me again"


def test_answers_are_remembered_until_one_is_asked_again(page, address):
    click(page, CHOICE, "input", 1)
    click(page, CHOICE)
    fill(page, "11", "0.5")
    click(page, ORDER, "[type=button]:not(ol *)")
    page.open(address)
    assert shown(page) == WORDS
    assert said(page, CHOICE) == MADE["1.choice"].verdict(1)
    assert said(page, NUMBERS) == MADE["1.numbers"].verdict(["11", "0.5"])
    assert said(page, ORDER) == ""
    click(page, CHOICE)
    page.open(address)
    assert shown(page) == without("one")


def test_answers_to_another_question_are_forgotten(page, address):
    click(page, CHOICE, "input", 1)
    click(page, CHOICE)
    page.run(
        "localStorage.setItem('perfalign 1.choice', JSON.stringify([1234, 7]))"
    )
    page.open(address)
    assert said(page, CHOICE) == ""
    assert shown(page) == without("one", *LATER)


def test_what_is_committed_stands(page):
    page.run("document.querySelectorAll('[type=text]')[0].value = '10'")
    page.run("document.querySelectorAll('[type=text]')[1].focus()")
    page.type("0.5")
    page.press("Enter")
    assert said(page, NUMBERS) == MADE["1.numbers"].verdict(["10", "0.5"])
    assert page.run("document.querySelector('[type=text]').disabled")
    assert page.run("document.activeElement.innerText") == "ask me again"
    page.press("Enter")
    assert not page.run("document.querySelector('[type=text]').disabled")


def test_one_or_all_can_be_skipped(page, address):
    click(page, CHOICE, "[type=button]")
    assert shown(page) == without(*LATER)
    assert page.run("document.activeElement.innerText") == "commit"
    page.run("document.querySelector('.predicting button').click()")
    assert shown(page) == WORDS
    page.open(address)
    assert shown(page) == WORDS
    assert page.run("document.querySelector('[aria-pressed=true]').innerText")
    page.run("document.querySelector('.predicting button').click()")
    assert shown(page) == without(*LATER)


@pytest.mark.parametrize("target", ["six", "heading"])
def test_a_link_to_what_is_hidden_shows_it(page, address, target):
    page.open("about:blank")
    page.open(f"{address}#{target}", height=300)
    place = f"document.getElementById('{target}').getClientRects().length"
    assert page.run(place)
    # What is hidden by other forms stays so.
    assert shown(page) == without("one", "two", "three", "four")
    assert page.run("scrollY") > 0


def test_a_link_is_followed_again(page, address):
    def follow():
        page.run("document.querySelector('a').click()")
        page.until("document.getElementById('six').getClientRects().length")

    follow()
    assert "one" not in shown(page)
    fill(page, "1", "1")
    click(page, NUMBERS)
    click(page, ORDER)
    click(page, ORDER)
    assert "six" not in shown(page)
    follow()


def test_paper_shows_everything(page):
    page.prefer(media="print")
    assert shown(page) == WORDS
    page.prefer()
    assert shown(page) == without("one", *LATER)


def test_without_scripts_nothing_is_hidden(browser, address):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(address)
        assert shown(browser) == WORDS
        text = browser.run("document.querySelector('.asks').innerText")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "What of 1.choice?" in text
    assert "a & b < c" in text
    assert "Neither" not in text


def test_without_a_memory_forms_work_all_the_same(browser, address):
    forget = browser.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="Object.defineProperty(self, 'localStorage',"
        " {get() { throw Error('not allowed'); }})",
    )
    try:
        browser.open(address)
        click(browser, CHOICE, "input", 1)
        click(browser, CHOICE)
        assert shown(browser) == without(*LATER)
        assert not browser.complaints
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", **forget)
