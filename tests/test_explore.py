import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from perfalign.book import live, plots
from perfalign.book.explore import Explorer

WIDGET = "application/vnd.jupyter.widget-view+json"
STOPS = [0.1, 0.25, 1 / 3, 0.5]


def draw(height, width=1.0):
    """A bar so many tenths of the frame high and wide."""
    figure = Figure(figsize=(1.6, 1), dpi=100)
    ax = figure.add_axes([0, 0, 1, 1])
    ax.bar(0, height, 2 * width, color="#0072B2")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axis("off")
    return figure


def alt(height, width=1.0):
    return f'A bar <"{height:.2f}" & {width}>'


def single(**kwargs):
    kwargs = {"alt": alt, "format": "{:.2f}", **kwargs}
    return Explorer(draw, {'height of "bar" <h> & more': STOPS}, **kwargs)


def double(**kwargs):
    sliders = {"height": [0.2, 0.8], "width": [0.3, 0.5, 0.9]}
    return Explorer(draw, sliders, alt=alt, **kwargs)


class Page(HTMLParser):
    """Elements with their attributes, and the text they hold directly."""

    VOID = ("img", "input")

    def __init__(self, html):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        element = SimpleNamespace(tag=tag, attrs=dict(attrs), text="")
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1].text += data

    def all(self, tag):
        return [e for e in self.elements if e.tag == tag]

    def only(self, tag):
        (element,) = self.all(tag)
        return element


def script_frames(page):
    """Frames of a page, the one in the image included."""
    script = page.only("script").text
    frames = json.loads(re.search(r"const frames = (.*);\n", script)[1])
    start = int(re.search(r"frames\[(\d+)\] = ", script)[1])
    assert frames[start] is None
    image = page.only("img").attrs
    frames[start] = [image["src"], image["alt"]]
    return frames


def share_of_blue(source):
    png = b64decode(source.removeprefix("data:image/png;base64,"))
    image = Image.open(BytesIO(png))
    assert image.size == (160, 100)
    return (np.asarray(image.convert("RGB"))[..., 0] < 128).mean()


def test_page_shows_the_start_frame_and_says_what_it_is():
    page = Page(
        single(start={'height of "bar" <h> & more': 0.25})._repr_html_()
    )
    image, slider = page.only("img").attrs, page.only("input").attrs
    assert share_of_blue(image["src"]) == pytest.approx(0.25, abs=0.01)
    assert image["alt"] == alt(0.25)
    assert (image["width"], image["height"]) == ("160", "100")
    assert slider["type"] == "range"
    assert slider["aria-label"] == 'height of "bar" <h> & more'
    assert slider["aria-valuetext"] == page.only("output").text == "0.25"
    values = [slider[key] for key in ("min", "value", "max", "step")]
    assert values == ["0", "1", "3", "1"]
    assert json.loads(slider["data-stops"]) == ["0.10", "0.25", "0.33", "0.50"]
    assert page.only("span").text == 'height of "bar" <h> & more'


def test_every_stop_has_its_frame_and_its_alternative_text():
    frames = script_frames(Page(single()._repr_html_()))
    assert [text for _, text in frames] == [alt(stop) for stop in STOPS]
    blue = [share_of_blue(source) for source, _ in frames]
    np.testing.assert_allclose(blue, STOPS, atol=0.01)


def test_two_sliders_have_a_frame_for_each_pair_the_last_fastest():
    explorer = double(start={"height": 0.8, "width": 0.5})
    page = Page(explorer._repr_html_())
    frames = script_frames(page)
    pairs = [(h, w) for h in (0.2, 0.8) for w in (0.3, 0.5, 0.9)]
    assert [text for _, text in frames] == [alt(h, w) for h, w in pairs]
    blue = [share_of_blue(source) for source, _ in frames]
    np.testing.assert_allclose(blue, [h * w for h, w in pairs], atol=0.01)
    assert page.only("img").attrs["alt"] == alt(0.8, 0.5)
    assert [e.attrs["value"] for e in page.all("input")] == ["1", "1"]


def test_page_needs_nothing_but_itself():
    page = Page(single(caption="Caption & <b>")._repr_html_())
    html = single(caption="Caption & <b>")._repr_html_()
    assert page.only("figcaption").text == "Caption & <b>"
    assert page.only("script").attrs == {}
    assert "http" not in html
    assert not [e for e in page.elements if "id" in e.attrs]
    assert "</script" not in page.only("script").text


def test_a_text_cannot_end_the_script():
    explorer = single(alt=lambda height: "</script><b>bold</b><!--")
    page = Page(explorer._repr_html_())
    assert script_frames(page)[1][1] == "</script><b>bold</b><!--"
    assert not page.all("b")


def test_without_a_kernel_nothing_of_a_widget_is_shown():
    bundle = single()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    name = '<Explorer: height of "bar" <h> & more, 4 frames>'
    assert bundle["text/plain"] == repr(single()) == name
    assert share_of_blue(bundle["image/png"]) == pytest.approx(0.1, abs=0.01)
    assert repr(double()) == "<Explorer: height and width, 6 frames>"


def test_equal_inputs_give_equal_bytes():
    assert double()._repr_mimebundle_() == double()._repr_mimebundle_()
    assert b"Software" not in double().frames[0][0]


def test_twelve_frames_of_a_full_figure_are_small():
    rng = np.random.default_rng(0)
    z, e = rng.normal(size=(2, 400, 2))

    def scatter(sigma):
        return plots.latent_space([z, z + sigma * e], reference=z)

    sliders = {"noise": np.linspace(0, 1, 12)}
    explorer = Explorer(scatter, sliders, alt="noise {}".format)
    assert len(explorer._repr_html_()) <= 350_000


def test_few_colours_look_the_same():
    z = np.random.default_rng(0).normal(size=(300, 2))
    labels = np.arange(300) % 2

    def scatter(shift):
        return plots.latent_space([z, z + shift], labels, reference=z)

    explorer = Explorer(scatter, {"shift": [1]}, alt=str)
    few = Image.open(BytesIO(explorer.frames[0][0]))
    true = Image.open(BytesIO(scatter(1)._repr_png_()))
    few, true = (np.asarray(i.convert("RGB"), float) for i in (few, true))
    assert few.shape == true.shape
    assert np.abs(few - true).max() < 24
    assert (few[true.min(axis=2) == 255] == 255).all()


def test_figures_of_pyplot_do_not_stay_open():
    def draw_with_pyplot(_):
        figure, ax = plt.subplots(figsize=(1, 1))
        return figure

    assert len(Explorer(draw_with_pyplot, {"a": [0, 1]}, alt=str).frames) == 2
    assert not plt.get_fignums()


def test_sliders_of_the_widget_change_frame_and_alternative_text():
    explorer = double(format={"width": "{:.0%}"}, start={"width": 0.5})
    height, width, frame, _ = explorer.widget.children
    assert (height.description, width.description) == ("height", "width")
    assert [text for text, _ in width.options] == ["30%", "50%", "90%"]
    assert [text for text, _ in height.options] == ["0.2", "0.8"]
    image = Page(frame.value).only("img").attrs
    assert image["alt"] == alt(0.2, 0.5)
    height.value, width.value = 1, 2
    image = Page(frame.value).only("img").attrs
    assert image["alt"] == alt(0.8, 0.9)
    assert share_of_blue(image["src"]) == pytest.approx(0.72, abs=0.01)


def test_with_a_kernel_the_widget_comes_beside_the_page(monkeypatch):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setattr(live, "get_ipython", lambda: shell)
    explorer = single()
    bundle = explorer._repr_mimebundle_()
    model = bundle.pop(WIDGET)["model_id"]
    assert model == explorer.widget.model_id
    monkeypatch.undo()
    assert bundle == explorer._repr_mimebundle_()


def test_figures_and_explorers_show_themselves_in_a_notebook():
    sources = [
        "from perfalign.book import plots\n"
        "from perfalign.book.explore import Explorer\n"
        "def draw(n): return plots.spectrum([3, 2, 1], n)",
        "plots.spectrum([3, 2, 1])",
        "shown = Explorer(draw, {'chosen': [1, 2]}, alt='{} in colour'.format)"
        "\nshown",
        "slider, frame, _ = shown.widget.children\n"
        "before = frame.value\n"
        "slider.value = 1\n"
        "print(before != frame.value, '2 in colour' in frame.value)",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,
        startup_timeout=600,
        iopub_timeout=600,
    )
    client.create_kernel_manager()
    client.km.transport_encryption = "auto"
    client.execute()
    assert not cells[0].outputs
    (figure,), (explorer,), (said,) = (cell.outputs for cell in cells[1:])
    assert set(figure.data) == {"image/png", "text/plain"}
    assert re.fullmatch(
        r"<Figure size \d+x\d+ with 1 Axes>", figure.data["text/plain"]
    )
    mimes = {WIDGET, "image/png", "text/html", "text/plain"}
    assert set(explorer.data) == mimes
    assert explorer.data["text/plain"] == "<Explorer: chosen, 2 frames>"
    assert said.text == "True True\n"


@pytest.mark.parametrize(
    ("sliders", "options", "message"),
    [
        ({}, {}, "one or two sliders, not 0"),
        (dict.fromkeys("abc", [1]), {}, "one or two sliders, not 3"),
        ({"a": []}, {}, "'a' has no stops"),
        ({"a": [1, 2]}, {"start": {"a": 3}}, "'a' cannot start at 3"),
        ({"a": [1, 2]}, {"start": {"b": 1}}, "no slider is called 'b'"),
        ({"a": [1, 2]}, {"format": {"b": "{}"}}, "no slider is called 'b'"),
    ],
)
def test_impossible_explorers_say_why(sliders, options, message):
    with pytest.raises(ValueError, match=message):
        Explorer(draw, sliders, alt=alt, **options)


def test_frames_must_have_one_size():
    def grow(n):
        return Figure(figsize=(n, 1), dpi=100)

    explorer = Explorer(grow, {"n": [1, 2]}, alt=str)
    with pytest.raises(ValueError, match="100x100, 200x100"):
        explorer._repr_html_()
