"""Two maps of one city, as the notebook stores them."""

import json
import re
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.linalg import subspace_angles

from perfalign import effective_rank, relative_alignment_error
from perfalign.book import live
from perfalign.book.cities import Cities, State
from perfalign.book.levers import HANDLES, moved
from perfalign.book.maps import overlay

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"


@pytest.fixture(scope="module")
def city():
    return Cities(caption="Drag & <b>drop</b>.")


def test_two_maps_show_the_same_places(city):
    one, two = city.views(city.start)
    assert one.shape == two.shape == (18, 3)
    # What both know is two signals, and each knows one of its own.
    ranks = [np.linalg.matrix_rank(X - X.mean(axis=0)) for X in (one, two)]
    both = np.hstack([one, two])
    assert [*ranks, np.linalg.matrix_rank(both - both.mean(axis=0))] == [
        3,
        3,
        4,
    ]


def test_evidence_begins_where_pairs_outnumber_signals():
    city = Cities(22, pairs=(4, 6, 16), own=(2, 3), caption="")
    for pairs in range(4, 17):
        for shift in (0, 1):
            found = city.solve(replace(city.start, pairs=pairs, shift=shift))
            evidence = min(2, max(0, pairs - 1 - 7)) if shift == 0 else 0
            assert found["evidence"] == evidence
            exact = found["newError"] < 1e-9
            assert exact == (shift == 0 and pairs - 1 >= 7)


def test_a_moved_pin_leaves_one_direction(city):
    step = np.array([0.3, 0.1])
    state = replace(city.start, moved=({2: step}, {}))
    assert city.solve(state)["shared"] == 1
    moved = city.views(state)[0] - city.views(city.start)[0]
    np.testing.assert_allclose(moved[2, :2], step)
    assert np.count_nonzero(moved) == 2


def test_silence_counts_and_flattens(city):
    state = replace(city.start, silent=True, lean=90)
    found = city.solve(state)
    assert found["nullity"] == city.solve(city.start)["nullity"] + 1
    assert found["shared"] == 2
    one, two = found["latents"]
    assert effective_rank(one) == pytest.approx(1)
    assert relative_alignment_error([one, two]) < 1e-12
    views = city.views(state)
    for X, A, z in zip(views, found["encoders"], found["latents"]):
        fresh = (X - X[: state.pairs].mean(axis=0)) @ A.T
        np.testing.assert_allclose(fresh, z, atol=1e-12)


def test_the_gauge_turns_and_changes_nothing_else(city):
    start = city.solve(city.start)
    turned = city.solve(replace(city.start, turn=90))
    for z, turned_z in zip(start["latents"], turned["latents"]):
        np.testing.assert_allclose(
            turned_z, np.stack([-z[:, 1], z[:, 0]], axis=1), atol=1e-12
        )
    assert turned["seenError"] == pytest.approx(start["seenError"], abs=1e-12)


def test_a_notebook_stores_places_a_picture_and_words(city):
    bundle = city._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    assert bundle["text/plain"] == "<Cities: two maps of 18 places>"
    html = bundle["text/html"]
    assert f'src="data:image/png;base64,{bundle["image/png"]}"' in html
    assert "<figcaption>Drag &amp; &lt;b&gt;drop&lt;/b&gt;.</fig" in html
    data = json.loads(html.split('json">')[1].split("</script>")[0])
    assert data["places"] == city.places.tolist()
    assert State(**data["start"]) == replace(
        city.start, own=[1, 1], gauge=[[1, 0], [0, 1]], moved=[{}, {}]
    )
    assert "from 12 pairs. Dimensions that agree exactly: 2; with" in html
    assert len(html) < 120_000
    assert bundle == Cities(caption=city.caption)._repr_mimebundle_()


def test_a_kernel_shows_handles(city, monkeypatch):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setattr(live, "get_ipython", lambda: shell)
    bundle = city._repr_mimebundle_()
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == city.widget.model_id
    pairs, shuffled, silent, *_, image, _ = city.widget.children
    assert [pairs.description, silent.description] == [
        "pairs",
        "a silent channel",
    ]
    before = image.value
    pairs.value, shuffled.value, silent.value = 5, True, True
    state = replace(city.start, pairs=5, shift=1, silent=True)
    assert city.describe(state) in image.value != before


@pytest.mark.parametrize(
    ("handle", "path", "value"),
    [
        ("pairs", ("pairs",), 5),
        ("own", ("own", 1), 3),
        ("noise", ("noise",), 0.5),
        ("shuffle", ("shift",), True),
        ("silent", ("lean",), 30),
        ("turn", ("turn",), -20),
        ("gauge", ("gauge", 1, 0), 0.7),
    ],
)
def test_every_handle_has_a_lever(handle, path, value):
    city = Cities(handles=[handle], caption="")
    paths = list(HANDLES[handle])
    *boxes, image, _ = city.widget.children
    assert len(boxes) == len(paths)
    boxes[paths.index(path)].value = value
    state = moved(city.start, path, value)
    where = asdict(state)
    for step in path:
        where = where[step]
    assert where == value
    assert city.describe(state) in image.value


def test_the_picture_shows_what_is_asked_for():
    def artists(**options):
        city = Cities(caption="", **options)
        found = city.solve(city.start)
        figure = overlay(
            [view[:, :2] for view in city.views(city.start)],
            found["latents"],
            city.streets,
            city.start.pairs,
            room=found if city.shows == "room" else None,
            lines=(7, 9),
            angles=found["angles"] if city.shows == "angles" else None,
        )
        return figure.axes[3]

    room = artists(shows="room", own=(2, 3))
    full = [p for p in room.patches if p.get_facecolor()[3] > 0]
    # 4 and 5 signals of which 2 are common, and all pairs are evidence.
    assert len(full) == 4 + 5 + 2
    assert [line.get_xdata()[0] for line in room.lines] == [7, 9]
    written = [text.get_text() for text in room.texts]
    assert written == ["map 1", "map 2", "both", "1", "2"]
    fans = artists(shows="angles", noise=0.3)
    city = Cities(caption="", noise=0.3)
    angles = city.solve(city.start)["angles"]
    assert [text.get_text() for text in fans.texts] == [
        f"{angle:.0f}°" for angle in angles
    ]


def test_misses_are_counted_in_standard_deviations():
    city = Cities(22, pairs=(4, 6, 16), own=(2, 3), caption="")
    for pairs, shift, noise in ((6, 0, 0), (9, 1, 0), (14, 0, 0.3)):
        state = State(pairs, shift=shift, own=(2, 3), noise=noise)
        one = city.solve(state)["latents"][0][:pairs]
        np.testing.assert_allclose(np.cov(one.T, ddof=0), np.eye(2), atol=1e-9)


def test_angles_are_those_of_scipy():
    city = Cities(caption="", own=(2, 3))
    for noise in (0.05, 0.4):
        state = replace(city.start, noise=noise, pairs=14)
        centred = [X - X.mean(axis=0) for X in city.seen(state)]
        angles = np.degrees(subspace_angles(*centred))[::-1]
        np.testing.assert_allclose(
            city.solve(state)["angles"], angles, atol=1e-6
        )


def test_every_gauge_agrees_and_one_is_the_truth(city):
    rng = np.random.default_rng(0)
    z = city.solve(city.start)["latents"][0]
    for G in rng.normal(size=(5, 2, 2)):
        found = city.solve(replace(city.start, gauge=G.tolist()))
        np.testing.assert_allclose(found["latents"][0], z @ G, atol=1e-12)
        assert found["seenError"] < 1e-12
        assert found["truthError"] > 0.1


def test_streets_pass_no_third_place(city):
    for i, j in city.streets:
        middle = (city.places[i] + city.places[j]) / 2
        near = np.hypot(*(city.places - middle).T)
        assert np.sum(near < 0.999 * near[i]) == 0


def test_the_picture_pales_what_is_new():
    spots = np.arange(12.0).reshape(6, 2)
    figure = overlay([spots, spots], [spots, spots], [(0, 1)], 4)
    one, _, both = figure.axes
    seen, new = [line for line in one.lines if line.get_marker() == "o"]
    assert [len(seen.get_xdata()), len(new.get_xdata())] == [4, 2]
    assert new.get_alpha() < seen.get_alpha()
    assert new.get_markerfacecolor() == "white" != seen.get_markerfacecolor()
    # The bar has the length that the words count in.
    (name,) = [text for text in both.texts if text.get_text() == "1 sd"]
    left, _ = name.get_position()
    bar = pytest.approx([left, left + 1])
    assert any([*line.get_xdata()] == bar for line in both.lines)
    image = Image.open(BytesIO(figure._repr_png_()))
    assert image.size[0] == 784


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": (3, 4, 5)}, r"pairs is \(3, 4, 5\); wanted 4 <="),
        ({"pairs": (4, 4, 18)}, "n_places, which is 18"),
        ({"own": (1, 4)}, r"own is \(1, 4\); wanted 0 to 3"),
        ({"own": (1,)}, r"own is \(1,\); wanted 0 to 3 for each"),
        ({"own": (1, 1, 1)}, "wanted 0 to 3 for each map"),
        ({"handles": ["lean"]}, r"handles holds \['lean'\]; wanted some of"),
        ({"shows": "rooms"}, "shows is 'rooms'; wanted one of"),
    ],
)
def test_impossible_cities_say_why(options, message):
    with pytest.raises(ValueError, match=message):
        Cities(caption="", **options)


def explorers():
    """What chapters store of figures with handles, by chapter."""
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                html = "".join(output.get("data", {}).get("text/html", ""))
                if re.search('<figure class="(explorer|cities)"', html):
                    yield path.stem, html


@pytest.mark.parametrize(("chapter", "html"), [*explorers()])
def test_captions_hold_wherever_the_handles_are(chapter, html):
    (caption,) = re.findall(r"<figcaption[^>]*>(.+?)</figcaption>", html)
    assert caption.endswith(".")
    assert not re.search(r"\b1 of \d+ \w+ are\b", html)
    if "cities" not in html:
        return
    data = json.loads(html.split('json">')[1].split("</script>")[0])
    counted = {"pairs": "pairs|places", "own": r"(own )?signals"}
    moved = [counted[name] for name in data["handles"] if name in counted]
    numbers = r"(\d+|two|three|four|five|ten|twelve)"
    for what in moved:
        assert not re.search(rf"\b{numbers} ({what})\b", caption, re.I)
