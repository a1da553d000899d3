"""Figures with sliders, which move with and without a running kernel."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from io import BytesIO
from itertools import product
from json import dumps
from math import prod
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from perfalign.book.live import bundled

# The script finds its own figure, so that no element needs an id and a page
# may hold many. It alone carries the frames that are not shown at first:
# where scripts are removed, the start frame stands as a plain image.
_HTML = """\
<figure class="explorer" style="background:#fff;color:#222;color-scheme:light;\
margin:1em 0;padding:.6em;border-radius:4px">
{sliders}
<img src="{source}" alt="{alt}" width="{width}" height="{height}" \
style="max-width:100%;height:auto;background:#fff;filter:none">
{caption}<script>
(() => {{
  const figure = document.currentScript.parentElement;
  const sliders = [...figure.querySelectorAll("input")];
  const image = figure.querySelector("img");
  const frames = {frames};
  const show = () => {{
    let number = 0;
    for (const slider of sliders) {{
      const text = JSON.parse(slider.dataset.stops)[+slider.value];
      slider.setAttribute("aria-valuetext", text);
      slider.nextElementSibling.textContent = text;
      number = number * (+slider.max + 1) + +slider.value;
    }}
    [image.src, image.alt] = frames[number];
  }};
  frames[{start}] = [image.src, image.alt];
  for (const slider of sliders) {{
    slider.parentElement.style.display = "flex";
    slider.addEventListener("input", show);
  }}
}})();
</script>
</figure>"""
# Sliders are shown by the script: without it they would not do anything.
_SLIDER = """\
<label style="display:none;flex-wrap:wrap;align-items:center;gap:.2em .8em;\
margin:0 0 .4em">
<span>{label}</span>
<input type="range" min="0" max="{last}" step="1" value="{start}" \
autocomplete="off" aria-label="{label}" aria-valuetext="{text}" \
data-stops="{stops}" style="flex:1 1 5em;min-width:0;max-width:24em;\
height:1.6em;margin:0;accent-color:#0072B2">
<output aria-live="off" style="min-width:3em;font-weight:bold">{text}</output>
</label>"""
_COLOURS = 80


class Explorer:
    """A figure that a reader moves through by one or two sliders.

    As the last expression of a notebook cell it shows itself: by real
    ipywidgets where a kernel runs, and in the stored notebook and the pages
    made of it by a range input, the frames as inline images and a few lines
    of script. There it needs no kernel, no network and no library. Where
    nothing moves, in print, it is the first frame.

    Parameters
    ----------
    draw : callable
        ``draw(value)``, or ``draw(value, value)`` with two sliders, returns
        the frame as a matplotlib figure. All frames must have one size.
    sliders : dict of str to sequence
        The stops of each slider, one or two, by the name that the reader
        sees. There is a frame for each combination of stops.
    alt : callable
        Called as `draw`; returns the alternative text of the frame.
    format : str or dict of str to str, default="{}"
        Format of the values shown, for all sliders or by name.
    start : dict of str to value, default=None
        Stops to start from; the first ones if not given.
    caption : str, default=None
        Plain text below the frame.

    Raises
    ------
    ValueError
        If there are not one or two sliders, one has no stops or its `start`
        is not among them, or a format or start names an unknown slider; when
        drawn, if the frames differ in size.

    Notes
    -----
    Frames are drawn once, when first shown, with at most 80 colours: about
    20 kB each for a figure of the book. Equal inputs give equal bytes.

    Examples
    --------
    >>> from perfalign.book import plots
    >>> from perfalign.book.explore import Explorer
    >>> def draw(sigma):
    ...     return plots.spectrum([3, 2, sigma], 1)
    >>> def alt(sigma):
    ...     return f"Three singular values, the smallest is {sigma}."
    >>> Explorer(draw, {"smallest singular value": [0.1, 0.5, 1]}, alt=alt)
    <Explorer: smallest singular value, 3 frames>
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        sliders: Mapping[str, Sequence[Any]],
        *,
        alt: Callable[..., str],
        format: str | dict[str, str] = "{}",
        start: dict[str, Any] | None = None,
        caption: str | None = None,
    ) -> None:
        self.draw = draw
        self.sliders = {name: list(stops) for name, stops in sliders.items()}
        self.alt = alt
        self.format = format
        self.start = start
        self.caption = caption
        self._check()

    def _check(self) -> None:
        if len(self.sliders) not in (1, 2):
            raise ValueError(
                f"an explorer has one or two sliders, not {len(self.sliders)}."
            )
        formats = self.format if isinstance(self.format, dict) else {}
        for name in {**formats, **(self.start or {})}:
            if name not in self.sliders:
                raise ValueError(
                    f"no slider is called {name!r}; the sliders are "
                    f"{', '.join(map(repr, self.sliders))}."
                )
        for name, stops in self.sliders.items():
            if not stops:
                raise ValueError(f"slider {name!r} has no stops.")
            value = (self.start or {}).get(name, stops[0])
            if value not in stops:
                raise ValueError(
                    f"slider {name!r} cannot start at {value!r}: its stops "
                    f"are {stops}."
                )

    def __repr__(self) -> str:
        names = " and ".join(self.sliders)
        n_frames = prod(map(len, self.sliders.values()))
        return f"<Explorer: {names}, {n_frames} frames>"

    @cached_property
    def frames(self) -> list[tuple[bytes, str]]:
        """Pairs (PNG bytes, alternative text), the last slider fastest."""
        every = list(product(*self.sliders.values()))
        images = [_pixels(self.draw(*values)) for values in every]
        sizes = {image.size for image in images}
        if len(sizes) > 1:
            raise ValueError(
                "all frames must have one size; drawn were, in pixels, "
                + ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
            )
        alts = [self.alt(*values) for values in every]
        return list(zip(map(_png, images), alts, strict=True))

    @property
    def start_frame(self) -> int:
        """Number of the frame shown first."""
        return self._number(self._start())

    def _start(self) -> list[int]:
        start = self.start or {}
        return [
            stops.index(start[name]) if name in start else 0
            for name, stops in self.sliders.items()
        ]

    def _number(self, positions: Sequence[int]) -> int:
        shape = [len(stops) for stops in self.sliders.values()]
        return int(np.ravel_multi_index(positions, shape))

    def _texts(self, name: str) -> list[str]:
        formats = self.format
        if isinstance(formats, dict):
            formats = formats.get(name, "{}")
        return [formats.format(value) for value in self.sliders[name]]

    def _repr_html_(self) -> str:
        sliders = []
        for name, position in zip(self.sliders, self._start(), strict=True):
            texts = self._texts(name)
            slider = _SLIDER.format(
                label=escape(name),
                last=len(texts) - 1,
                start=position,
                text=escape(texts[position]),
                stops=escape(dumps(texts)),
            )
            sliders.append(slider)
        frames: list[Any] = [(_source(png), alt) for png, alt in self.frames]
        source, alt = frames[self.start_frame]
        width, height = Image.open(BytesIO(self.frames[0][0])).size
        # The image holds the start frame already.
        frames[self.start_frame] = None
        return _HTML.format(
            sliders="\n".join(sliders),
            source=source,
            alt=escape(alt),
            width=width,
            height=height,
            caption=self._caption(),
            start=self.start_frame,
            frames=dumps(frames).replace("<", "\\u003c"),
        )

    def _caption(self) -> str:
        if self.caption is None:
            return ""
        text = escape(self.caption)
        return f'<figcaption style="color:#222">{text}</figcaption>\n'

    @cached_property
    def widget(self) -> widgets.VBox:
        """The explorer as an ipywidgets box: the sliders, then the frame."""
        sliders = [
            widgets.SelectionSlider(
                options=[(t, i) for i, t in enumerate(self._texts(name))],
                value=position,
                description=name,
                style={"description_width": "initial"},
                layout={"width": "95%", "max_width": "36em"},
            )
            for name, position in zip(self.sliders, self._start(), strict=True)
        ]
        # An HTML widget, since the Image widget has no alternative text.
        frame = widgets.HTML()

        def show(change: object = None) -> None:
            positions = [slider.value for slider in sliders]
            png, alt = self.frames[self._number(positions)]
            frame.value = f'<img src="{_source(png)}" alt="{escape(alt)}">'

        for slider in sliders:
            slider.observe(show, "value")
        show()
        below = widgets.HTML(self._caption())
        return widgets.VBox([*sliders, frame, below])

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        bundle = {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "image/png": b64encode(self.frames[self.start_frame][0]).decode(),
        }
        return bundled(self, bundle)


def _source(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode("ascii")


def _pixels(figure: Figure) -> Image.Image:
    """Draw a figure at its own size; a figure of pyplot is closed."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    plt.close(figure)
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _png(image: Image.Image) -> bytes:
    """Encode an image with few colours, chosen so that none is far off."""
    few = image.quantize(
        _COLOURS,
        method=Image.Quantize.MAXCOVERAGE,
        dither=Image.Dither.NONE,
    )
    buffer = BytesIO()
    few.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
