"""The gauge, noise and principal angles of the two maps, in a browser.

A page as small as can be is opened from the disk, with the book's scripts
where the book has them. Without a browser this is skipped, unless
``PERFALIGN_BROWSER=required``.
"""

import os
import shutil
from dataclasses import asdict, replace
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
    no_room, room = "have no room yet: ", "have room: "
    for pairs, first, second in [
        (4, no_room, no_room),
        (5, room, no_room),
        (6, room, no_room),
        (7, room, room),
    ]:
        _, one, two = says(pairs)
        assert one.startswith("1: all signals, 4 of them")
        assert two.startswith("2: both maps beside each other, 3 + 3")
        assert first in one
        assert second in two
    assert "Evidence: 1." in says(6)[0]
    assert page.run("document.querySelectorAll('.mark').length") == 2
    page.run("perfalign.live[0].shuffle.click()")
    page.until("!document.querySelector('.mark')")


def test_only_the_handles_that_were_asked_for(browser, folder):
    page = opened(browser, folder, "few")
    names = page.run(
        "[...document.querySelectorAll('.handles :is(input, button)')]"
        ".map((e) => e.ariaLabel ?? e.textContent)"
    )
    assert names == ["shuffle the pairs", "gauge", "start again"]
