"""Predictions ask for what the chapter then shows, and say why."""

import json
import re
from math import inf
from pathlib import Path

import pytest

from perfalign.book.predictions import predict, predictions
from perfalign.book.predictions._kinds import (
    Choice,
    Field,
    Numbers,
    Order,
    plain,
)
from perfalign.book.predictions._live import live
from perfalign.book.predictions._read import kind, stored

CHAPTERS = {
    int(path.name[:2]): json.loads(path.read_text("utf-8"))["cells"]
    for path in (Path(__file__).parents[1] / "chapters").glob("[0-9]*.ipynb")
}
NAMES = [name for chapter in CHAPTERS for name in predictions(chapter)]
ASKS = re.compile(r'\bpredict\("([^"]+)"\)')
SEEN = re.compile(r"^<!-- seen (.+) -->$", re.MULTILINE)


def text(lines):
    return lines if isinstance(lines, str) else "".join(lines)


def entry_of(name):
    chapter = name.partition(".")[0]
    return stored(chapter)[name], CHAPTERS[int(chapter)]


def printed(cell):
    """All words that a cell has stored."""
    outputs = cell["outputs"]
    streams = [text(o["text"]) for o in outputs if "text" in o]
    shown = [text(o.get("data", {}).get("text/html", "")) for o in outputs]
    return "\n".join([*streams, *(re.sub(r"<[^>]+>", " ", s) for s in shown)])


# ------------------------------------------------------------- every chapter


@pytest.mark.parametrize("chapter", sorted(CHAPTERS))
def test_each_is_asked_once_and_its_end_comes_later(chapter):
    asked, ended = [], []
    for cell in CHAPTERS[chapter]:
        source = text(cell["source"])
        if cell["cell_type"] == "code":
            found = ASKS.findall(source)
            assert len(found) < 2
            if found:
                tags = cell["metadata"].get("tags", [])
                assert {"remove-input", "hide-input"} & {*tags}
                assert source.endswith(f'predict("{found[0]}")')
            asked += found
        else:
            ended += SEEN.findall(source)
            assert source.count("<!-- seen") == len(SEEN.findall(source))
            assert {*ended} <= {*asked}
    assert sorted(asked) == sorted(predictions(chapter))
    assert len(ended) == len({*ended})


@pytest.mark.parametrize("name", NAMES)
def test_the_chapter_shows_what_is_said_to_be_right(name):
    """Numbers are read where they are printed, the rest is proved or shown."""
    entry, cells = entry_of(name)
    found = [entry] if entry["kind"] != "numbers" else entry["fields"]
    everything = json.dumps(cells)
    by_id = {cell["id"]: cell for cell in cells}
    for part in found:
        if "printed" not in part:
            assert entry["kind"] != "numbers"
            assert re.search(
                rf'[: "(]{re.escape(entry["proved"])}(\\n|"|\))', everything
            ), f"{entry['proved']} is no label of the chapter"
            continue
        where = part["printed"]
        shown = printed(by_id[where["cell"]])
        match = re.search(where["find"], shown)
        assert match, f"{where['find']} is not in: {shown}"
        if "answer" in part:
            stated = float(match[1].replace("−", "-"))
            assert abs(stated - part["answer"]) <= part.get("tol", 0) / 2


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_has_a_reason_of_its_own(name):
    entry, _ = entry_of(name)
    asked = predict(name).kind
    options = entry.get("options", [])
    assert len(options) >= 3 or entry["kind"] != "choice"
    told = [part["reason"] for part in options + entry.get("mistakes", [])]
    assert len({*told}) == len(told)
    assert all(reason.endswith((".", "?")) for reason in told)
    assert entry["question"].endswith("?")
    if isinstance(asked, Choice):
        assert entry["options"][asked.right]["right"] is True
    if isinstance(asked, Numbers):
        right = [field.answer for field in asked.fields]
        assert not asked.mistaken(right)
        for ranges, _ in asked.mistakes:
            assert len(ranges) == len(right)
            assert all(low <= high for low, high in ranges)
            assert {*ranges} != {(-inf, inf)}
    if isinstance(asked, Order):
        assert len({*asked.items}) == len(asked.items) >= 3
        for first, second, _ in asked.mistakes:
            assert asked.items.index(first) > asked.items.index(second)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_form_is_shown_of_it(name):
    asked = predict(name)
    shown = asked._repr_mimebundle_()
    assert repr(asked) == shown["text/plain"]
    visible = re.sub(r"(?s)<script.*</script>", "", shown["text/html"])
    for offer in asked.kind.offers():
        assert offer.split("`")[0] in shown["text/markdown"]
    entry, _ = entry_of(name)
    told = [p["reason"] for p in entry.get("options", []) if "reason" in p]
    for reason in [*told, entry.get("reason", "·")]:
        assert reason not in visible
        assert reason not in shown["text/markdown"]


# --------------------------------------------------------------- what is said


def numbers(**changes):
    entry = {
        "kind": "numbers",
        "reason": "So.",
        "fields": [
            {"label": "one", "answer": 2},
            {"label": "two", "answer": 40, "unit": "%", "tol": 3},
        ],
        "mistakes": [
            {"said": [1, "any"], "reason": "One forgot."},
            {"said": ["any", [90, inf]], "reason": "Two is a share."},
        ],
    }
    return kind(entry | changes)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([2, 40], "You said 2 and 40 %, and so it is. So."),
        (["2", "42"], "You said 2 and 42 %, near enough: 2 and 40 %. So."),
        ([1, 40], "You said 1 and 40 %. It is 2 and 40 %. One forgot. So."),
        (
            [1, 99],
            "You said 1 and 99 %. It is 2 and 40 %. One forgot. "
            "Two is a share. So.",
        ),
        (
            [3.5, 4],
            "You said 3.5 and 4 %. It is 2 and 40 %. “one” is 1.5 too high. "
            "“two” is about 10 times too low. So.",
        ),
    ],
)
def test_numbers(answer, said):
    assert numbers().verdict(answer) == said


def test_one_number_needs_no_name():
    asked = numbers(fields=[{"label": "one", "answer": -2}], mistakes=[])
    assert "It is -2. That is 5 too high. So." in asked.verdict([3])
    assert "That is 1 too low. So." in asked.verdict([-3])
    assert asked.offers() == ["one"]
    assert numbers().offers() == ["one", "two, in %"]


def test_a_choice():
    options = [
        {"text": "red", "reason": "No."},
        {"text": "blue", "reason": "Yes.", "right": True},
    ]
    asked = kind({"kind": "choice", "options": options})
    assert asked.verdict(0) == "You said “red”. It is “blue”. No."
    assert asked.verdict(1) == "You said “blue”, and so it is. Yes."
    assert asked.data()["verdicts"] == [asked.verdict(0), asked.verdict(1)]


def test_an_order():
    mistakes = [{"before": ["c", "a"], "reason": "c is least."}]
    entry = {"kind": "order", "items": ["b", "a", "c"], "reason": "So."}
    asked = kind(entry | {"mistakes": mistakes})
    assert asked.offers() == ["a", "b", "c"]
    assert asked.verdict(["b", "a", "c"]) == (
        "You said b, a and c, and so it is. So."
    )
    assert asked.verdict(["c", "a", "b"]) == (
        "You said c, a and b. It is b, a and c. c is least. So."
    )
    assert "1 of 3 pairs stand" in asked.verdict(["a", "b", "c"])
    assert kind(entry | {"items": ["a", "b", "c"]}).offers() == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(1.25, "1.25"), (1234, "1230"), (0.00125, "0.00125"), (40, "40")],
)
def test_three_digits_count(number, words):
    assert plain(number) == words


def test_what_is_no_prediction_is_refused():
    with pytest.raises(ValueError, match=r"'3\.x'.*there are: 3\.plane"):
        predict("3.x")
    with pytest.raises(ValueError, match="there are: none"):
        predict("99.x")
    with pytest.raises(ValueError, match="'words'; wanted 'choice'"):
        kind({"kind": "words"})


# ------------------------------------------------------- with a running kernel


def press(box):
    box.children[-2].click()
    return box.children[-1].value


def test_the_live_form_answers_in_its_place():
    box = live("How many?", numbers())
    assert press(box) == "An answer is missing."
    box.children[1].value, box.children[2].value = "2", " 40,5"
    assert "near enough" in press(box)

    box = live("Which?", predict("3.plane").kind)
    assert press(box) == "An answer is missing."
    box.children[1].index = 2
    assert "and so it is" in press(box)

    asked = Order(("a", "b", "c"), (), "So.")
    box = live("In which order?", asked)
    assert press(box) == "An answer is missing."
    for place, item in zip(box.children[1:4], "abc"):
        place.value = item
    assert "and so it is" in press(box)


def test_a_field_accepts_what_is_near():
    field = Field("share", 0.5, tol=0.1)
    assert field.accepts(0.6)
    assert not field.accepts(0.61)
