"""What the two maps compute and say in a browser.

A page as small as can be is opened from the disk, with the book's scripts
where the book has them. Without a browser this is skipped, unless
``PERFALIGN_BROWSER=required``.
"""

import os
import re
import shutil
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from perfalign.book.cities import Cities, State
from tools.browser import Browser, executable

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "gauge": {"handles": ("gauge",), "shows": "truth"},
    "angles": {"handles": ("noise", "pairs"), "shows": "angles"},
    "room": {"handles": ("pairs", "own", "shuffle"), "shows": "room"},
    "few": {"handles": ("shuffle", "turn")},
    "silent": {},
}
FOUND = "perfalign.live[0].found"


def explorer(kind):
    return Cities(22, pairs=(4, 12, 16), caption="", **KINDS[kind])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    parts = {
        "_static": "_static",
        "vendor/ml-matrix": "ml-matrix",
        "perfalign/book/pages/live": "live",
    }
    for source, name in parts.items():
        shutil.copytree(ROOT / source, root / name)
    (root / "chapters").mkdir()
    for kind in KINDS:
        (root / "chapters" / f"{kind}.html").write_text(
            "<!doctype html><meta charset='utf-8'><title>maps</title>"
            "<link rel='stylesheet' href='../_static/book.css'>"
            "<script src='../_static/book.js'></script>"
            f"<article>{explorer(kind)._repr_html_()}</article>",
            "utf-8",
        )
    return root / "chapters"


@pytest.fixture(scope="module")
def browser():
    if executable() is None:
        reason = "no Chromium or Chrome is found; CHROME may name one"
        if os.environ.get("PERFALIGN_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with Browser() as found:
        yield found


def opened(browser, folder, kind, touch=False):
    browser.open((folder / f"{kind}.html").as_uri(), 800, 1000, touch=touch)
    browser.until("!!self.perfalign?.live?.[0].found")
    assert not browser.complaints
    return browser


def flat(value):
    if isinstance(value, list):
        return np.concatenate([np.ravel(part) for part in value])
    return value


@pytest.mark.parametrize(
    ("n_places", "pairs"), [(22, 9), (22, 16), (204, 200)]
)
def test_the_page_computes_gauges_angles_and_noise(
    browser, folder, n_places, pairs
):
    page = opened(browser, folder, "gauge")
    city = Cities(n_places, pairs=(4, 6, pairs), handles=["noise"], caption="")
    rng = np.random.default_rng(pairs)
    for noise in (0, 1e-9, 0.01, 0.4, 1):
        state = State(
            pairs,
            own=tuple(rng.integers(0, 4, size=2).tolist()),
            silent=bool(rng.integers(2)),
            noise=noise,
            turn=float(rng.integers(-180, 181)),
            gauge=rng.normal(size=(2, 2)).tolist(),
        )
        fresh = page.run("perfalign.city.solve", city.data(), asdict(state))
        for name, value in city.solve(state).items():
            np.testing.assert_allclose(
                flat(fresh[name]),
                flat(value),
                rtol=1e-9,
                atol=1e-9,
                err_msg=f"{name} of {state}",
            )


TIP = """(i) => {
  const box = document.querySelectorAll(".arrow .tip")[i]
    .getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}"""


@pytest.mark.parametrize("touch", [False, True])
def test_arrows_are_dragged(browser, folder, touch):
    page = opened(browser, folder, "gauge", touch)
    before = page.run(f"{FOUND}.truthError")
    start = page.run(TIP, 1)
    page.drag(start, [start[0] + 30, start[1] + 20], touch=touch)
    page.until(f"{FOUND}.truthError !== {before}")
    first, second = page.run("perfalign.live[0].state.gauge")
    assert first == [1, 0]
    assert second[0] > 0.2
    assert second[1] < 0.9
    assert page.run(f"{FOUND}.seenError") < 1e-9


def test_arrows_are_moved_by_keys_until_the_city_is_flat(browser, folder):
    page = opened(browser, folder, "gauge")
    page.run("document.querySelectorAll('.arrow')[1].focus()")
    for _ in range(20):
        page.press("ArrowDown")
    page.until(
        "document.querySelector('.says').textContent.includes('one line')"
    )
    assert page.run(
        "document.activeElement.getAttribute('aria-valuetext')"
    ).startswith("0.00 across, ")
    page.run(
        "[...document.querySelectorAll('.handles button')].at(-1).click()"
    )
    page.until(
        "JSON.stringify(perfalign.live[0].state.gauge) === '[[1,0],[0,1]]'"
    )


def test_the_gauge_that_is_sought_exists():
    city = explorer("gauge")
    z = city.solve(city.start)["latents"][0]
    G = np.linalg.lstsq(z, city.truth(city.start))[0]
    found = city.solve(replace(city.start, gauge=G.tolist()))
    assert found["truthError"] < 1e-12


def test_noise_opens_the_angles(browser, folder):
    page = opened(browser, folder, "angles")
    assert max(page.run(f"{FOUND}.angles")[:2]) < 1e-9
    page.run("document.querySelector('[aria-label=noise]').focus()")
    page.press("End")
    page.until(f"{FOUND}.angles[0] > 10")
    label = page.run("document.querySelector('.fans svg').ariaLabel")
    shown = page.run(f"{FOUND}.angles.map((a) => a.toFixed(0) + '°')")
    assert ", ".join(shown) in label


def test_the_room_names_both_thresholds(browser, folder):
    page = opened(browser, folder, "room")

    def says(pairs):
        page.run(
            "(n) => { perfalign.live[0].state.pairs = n;"
            "perfalign.live[0].show(); }",
            pairs,
        )
        return page.run(
            "[...document.querySelectorAll('.room p')]"
            ".map((e) => e.textContent)"
        )

    # 2 common signals and 1 of its own for each map: 4 in all, 3 + 3.
    no, yes = "Not reached: ", "Reached: "
    for pairs, first, second in [
        (4, no, no),
        (5, yes, no),
        (6, yes, no),
        (7, yes, yes),
    ]:
        _, one, two = says(pairs)
        assert one.startswith("Line 1, at 4 dimensions (5 pairs): room for al")
        assert two.startswith("Line 2, at 6 dimensions (7 pairs): room for bo")
        assert first in one
        assert second in two
    why = says(6)[0]
    assert "room for 5 dimensions: one is lost with the mean, which" in why
    assert "Forced: 3 + 3 − 5 = 1; strangers, maps of two different" in why
    assert why.endswith("Evidence: 1 of 2.")


LIST = """[...document.querySelectorAll(".live dl div")].map((row) => {
  const [name, value] = [...row.children].map((e) => {
    const text = document.createRange();
    text.selectNodeContents(e);
    return [...text.getClientRects()];
  });
  return {
    words: row.textContent,
    lines: [name.length, value.length],
    gap: value[0].left - name[0].right,
    beyond: value[0].right - row.getBoundingClientRect().right,
  };
})"""


@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_whole_and_apart_from_their_names(
    browser, folder, kind, width
):
    page = opened(browser, folder, kind)
    page.resize(width, 1000)
    page.run("document.querySelector('details').open = true")
    page.until("!!document.querySelector('.live dd')")
    for row in page.run(LIST):
        assert row["lines"] == [1, 1], row
        assert row["gap"] >= 4, row
        assert row["beyond"] < 1, row


def test_only_the_handles_that_were_asked_for(browser, folder):
    page = opened(browser, folder, "few")
    names = page.run(
        "[...document.querySelectorAll('.handles :is(input, button)')]"
        ".map((e) => e.ariaLabel ?? e.textContent)"
    )
    assert names == ["shuffle the pairs", "turn both maps", "start again"]


# ------------------------------------------------------------ what they say

MOVED = [
    ({}, {}),
    ({0: (0.3, 0.1)}, {}),
    ({}, {1: (0.3, 0.1), 2: (0.1, -0.5)}),
    ({21: (0.4, 0.4)}, {}),  # a new place
]
VALUES = {
    "pairs": [{"pairs": n} for n in range(4, 17)],
    "own": [{"own": (p, q)} for p, q in product((0, 1, 3), repeat=2)],
    "noise": [{"noise": value} for value in (0, 0.05, 1)],
    "shuffle": [{"shift": 0}, {"shift": 1}],
    "silent": [{}, *({"silent": True, "lean": n} for n in (0, 5, 30, 90))],
    "turn": [{}],
    "gauge": [
        {"gauge": gauge}
        for gauge in (((1, 0), (0, 1)), ((0.5, 0.9), (-0.9, 0.2)))
        + (((1, 0), (1, 0)), ((0, 0), (0, 0)))
    ],
}
WORDS = """(states) => states.map((state) => {
  const live = perfalign.live[0];
  live.state = state;
  live.show();
  live.list(live.found);
  const all = (name) => [...document.querySelectorAll(name)];
  return {
    found: live.found,
    says: document.querySelector(".says").textContent,
    room: all(".room p").map((e) => e.textContent),
    marks: all(".mark").length,
    rows: Object.fromEntries(all(".live dl div").map(
      ({ children: [name, value] }) => [name.textContent, value.textContent])),
    cells: all(".matrices tr").map((row) =>
      [...row.children].map((e) => e.textContent)),
    places: all("[aria-valuetext]").map(
      (e) => e.getAttribute("aria-valuetext")),
    labels: all(".live > :not(details) svg").map(
      (e) => e.getAttribute("aria-label")),
  };
})"""
EXACT = 1e-6
DEFINED = "strangers, maps of two different cities"


def every_state(kind):
    city = explorer(kind)
    for moved, *values in product(MOVED, *(VALUES[h] for h in city.handles)):
        state = replace(city.start, moved=moved)
        for value in values:
            state = replace(state, **value)
        yield state


def walk(browser, folder, kind):
    """All that an explorer says, in all of its states."""
    page = opened(browser, folder, kind)
    states = [*every_state(kind)]
    spoken = page.run(WORDS, [asdict(state) for state in states])
    assert len(spoken) == len(states)
    return zip(states, spoken)


def has(says, text, wanted):
    assert (text in says) == bool(wanted), f"{text!r}: {says}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_holds_in_its_state(browser, folder, kind):
    for state, at in walk(browser, folder, kind):
        says, found = at["says"], at["found"]
        seen, new = found["seenError"] < EXACT, found["newError"] < EXACT
        for text in (says, *at["room"]):
            assert re.fullmatch(r"[A-Z\d].*[.]", text)
            assert not re.search("undefined|NaN|null|  |\\b0[.]00", text)
            assert not re.search(
                r"\bmeets?\b|whatever|gauge|\b1 dimensions", text
            )
            assert text.count("strangers") == text.count(DEFINED)
        assert all(at["labels"])
        has(says, "pairs agree exactly.", seen)
        one = found["shared"] == 1 and not seen
        has(says, "agree exactly in one dimension; in the other", one)
        has(says, "shuffled", state.shift)
        misses = re.findall(r"miss by (?:less than )?([\d.]+\d)", says)
        truth = explorer(kind).shows == "truth"
        missed = [found["seenError"]] * (not seen)
        missed += [found["newError"]] * (not new and not truth)
        missed = np.maximum(missed, 0.01)
        assert [*map(float, misses)] == pytest.approx(missed, abs=0.0051)
        if truth:
            lie = found["truthError"] < 0.05
            has(says, "lie on the true places", lie)
            continue
        has(says, "New places, which were not used, agree", new)
        has(says, "New places miss by ", not new)
        # Who reads a silent channel agrees with any map: evidence is not
        # spoken of. What would be none without it is none with it.
        some = found["evidence"] and not state.lean
        alone = found["shared"] and not found["evidence"]
        has(says, "is evidence.", some)
        has(says, "as much: the pairs alone prove nothing.", alone)
        has(says, "agree nevertheless", new and alone)
        few = found["vacuous"] and (some or alone)
        has(says, "With so few pairs", few)
        has(says, "0 of every place", state.silent and not state.lean)
        has(says, f"One encoder row is turned by {state.lean}°", state.lean)
        has(says, "the city is hardly squeezed.", state.lean == 5)
        has(says, "the city is squeezed to 87 % in one", state.lean == 30)
        has(says, "the city is squeezed to a line.", state.lean == 90)


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_holds_in_its_state(browser, folder, kind):
    for state, at in walk(browser, folder, kind):
        found, rows = at["found"], at["rows"]
        counts = {
            "rank of both, stacked": found["stackRank"],
            "null space of the stack": found["nullity"],
            "shared dimensions, s": found["shared"],
            "forced by few pairs, v": found["vacuous"],
            "evidence in the data, s − v": found["evidence"],
        }
        assert {name: int(rows[name]) for name in counts} == counts
        for name in ("seen", "new"):
            said = rows[{"seen": "pairs"}.get(name, "new places") + " miss by"]
            assert float(said) == pytest.approx(found[f"{name}Error"], 0.005)
        encoders = [row for A in found["encoders"] for row in A]
        for said, row in zip(at["cells"], encoders, strict=True):
            values = [float(cell.replace("−", "-")) for cell in said]
            np.testing.assert_allclose(values, row, atol=0.005001)
        words = [*np.concatenate(at["cells"]), *at["places"]]
        assert not re.search(r"[-−]0[.]00\b", " ".join(words))
        if state.lean == 90:
            # The row that is silent says nothing, whatever is evidence.
            rank = np.linalg.matrix_rank(found["latents"][1], tol=1e-9)
            assert rank <= 1


def test_both_lines_stay_and_say_when_they_do_not_count(browser, folder):
    for state, at in walk(browser, folder, "room"):
        found = at["found"]
        why, first, second = at["room"]
        assert at["marks"] == 2
        for i, line in enumerate((first, second)):
            said = re.match(
                r"Line \d, at (\d+) dimensions \((\d+) pairs\)", line
            )
            room, pairs = map(int, said.groups())
            assert room == 2 * (i + 1) + sum(state.own)
            assert pairs == room + 1
            if not (state.shift or any(state.moved)):
                has(line, "Not reached: ", state.pairs < pairs)
        share = f"{found['evidence']} of {found['shared']}"
        has(why, f"Evidence: {share if found['evidence'] else 'none'}.", True)
        has(why, "Forced: none", not found["vacuous"])
        has(why, f"they share {found['shared']}.", True)
        has(first, "while the pairs are shuffled", state.shift)
        apart = any(state.moved)
        has(first, "while a pin is out", apart and not state.shift)
        true = not (apart or state.shift)
        has(first, "Reached: new", true and found["newError"] < EXACT)
        has(first, "Not reached: ", true and found["newError"] > EXACT)
        has(second, "Not reached: some agreement is forced", found["vacuous"])
        has(second, "Reached: no agreement is", not found["vacuous"])
