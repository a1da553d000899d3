"""Two maps of one city: an explorer that is computed in the page.

The page's scripts (``pages/live``) compute what `City` computes here. Stored
in a notebook are the places and one picture.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from html import escape
from json import dumps
from typing import Any, Literal

import ipywidgets as widgets

from perfalign.book.city import OWN, SHAPES, UNIT, City, Pair, State
from perfalign.book.levers import HANDLES, make_levers, moved
from perfalign.book.live import bundled
from perfalign.book.maps import overlay

__all__ = ["Cities", "State"]

SHOWS = (None, "room", "angles", "truth")

_HTML = """\
<figure class="cities">
<script type="application/json">{data}</script>
<img src="data:image/png;base64,{png}" alt="{alt}">
<figcaption>{caption}</figcaption>
</figure>"""


class Cities(City):
    """The same places on two maps, aligned while a reader changes them.

    Parameters
    ----------
    n_places : int, default=18
    pairs : tuple of int, default=(4, 12, 14)
        Fewest, first and most pairs.
    own : tuple of int, default=(1, 1)
        Signals that only this map knows, at most three each.
    handles : sequence of str
        What can be changed beside the pins: "pairs", "own", "noise",
        "shuffle", "silent", "turn", and "gauge", the images of two latents.
    shows : {"room", "angles", "truth"}, default=None
        More to be seen: how the two row spaces share the room, the principal
        angles between them, or the true places.
    noise : float, default=0
    gauge : two pairs of float, default=((1, 0), (0, 1))
        Where the explorer begins, as `State` has it.
    caption : str
        Plain text below.
    random_state : int, default=0

    Raises
    ------
    ValueError
        If places and pairs do not go together, or a name is unknown.

    Examples
    --------
    >>> from perfalign.book.cities import Cities
    >>> Cities(caption="Drag a pin.")
    <Cities: two maps of 18 places>
    """

    def __init__(
        self,
        n_places: int = 18,
        *,
        pairs: tuple[int, int, int] = (4, 12, 14),
        own: tuple[int, int] = (1, 1),
        handles: Sequence[str] = ("pairs", "shuffle", "silent", "turn"),
        shows: Literal["room", "angles", "truth"] | None = None,
        noise: float = 0,
        gauge: tuple[Pair, Pair] = ((1, 0), (0, 1)),
        caption: str,
        random_state: int = 0,
    ) -> None:
        fewest, first, most = pairs
        if not 4 <= fewest <= first <= most < n_places:
            raise ValueError(
                f"pairs is {pairs}; wanted 4 <= fewest <= first <= most < "
                f"n_places, which is {n_places}."
            )
        if len(own) != 2 or not all(0 <= p <= OWN for p in own):
            raise ValueError(f"own is {own}; wanted 0 to {OWN} for each map.")
        unknown = [name for name in handles if name not in HANDLES]
        if unknown:
            raise ValueError(
                f"handles holds {unknown}; wanted some of {[*HANDLES]}."
            )
        if shows not in SHOWS:
            raise ValueError(f"shows is {shows!r}; wanted one of {SHOWS}.")
        super().__init__(n_places, random_state)
        self.limits = fewest, most
        self.start = State(first, own=own, noise=noise, gauge=gauge)
        self.handles = tuple(handles)
        self.shows = shows
        self.caption = caption

    def __repr__(self) -> str:
        return f"<Cities: two maps of {len(self.places)} places>"

    def picture(self, state: State | None = None) -> bytes:
        """PNG of a state, the first one if none is given."""
        state = state or self.start
        found = self.solve(state)
        figure = overlay(
            [view[:, :2] for view in self.views(state)],
            found["latents"],
            self.streets,
            state.pairs,
            truth=self.truth(state) if self.shows == "truth" else None,
            arrows=state.gauge if "gauge" in self.handles else (),
            room=found if self.shows == "room" else None,
            lines=self.lines(state),
            angles=found["angles"] if self.shows == "angles" else None,
        )
        return figure._repr_png_()

    def lines(self, state: State) -> tuple[int, int]:
        """Signals of all, two of which are common, and of both maps."""
        return 2 + sum(state.own), 4 + sum(state.own)

    def describe(self, state: State) -> str:
        """Alternative text of the picture."""
        found = self.solve(state)
        pairs = "shuffled pairs" if state.shift else "pairs"
        text = (
            f"Two maps of the same {len(self.places)} places, one turned and "
            f"sheared against the other, and both laid on each other by "
            f"encoders found from {state.pairs} {pairs}. Dimensions that "
            f"agree exactly: {found['shared']}; with maps of two different "
            f"cities: {found['vacuous']}. New places miss by "
            f"{found['newError']:.2f} standard deviations."
        )
        if self.shows == "room":
            first, second = self.lines(state)
            text += (
                f" Below, the dimensions that pairs make room for, "
                f"{state.pairs - 1}, with line 1 at {first} and line 2 at "
                f"{second}."
            )
        if self.shows == "angles":
            degrees = ", ".join(f"{angle:.0f}°" for angle in found["angles"])
            text += f" The angles between the row spaces: {degrees}."
        if self.shows == "truth":
            miss = found["truthError"]
            text += f" The rings are {miss:.2f} from the true places."
        return text

    def data(self) -> dict[str, Any]:
        return {
            "places": self.places.tolist(),
            "own": self.own.tolist(),
            "errors": self.errors.tolist() if "noise" in self.handles else [],
            "shapes": SHAPES,
            "unit": UNIT,
            "streets": self.streets,
            "limits": self.limits,
            "handles": self.handles,
            "shows": self.shows,
            "start": asdict(self.start),
        }

    def _repr_html_(self) -> str:
        return _HTML.format(
            data=dumps(self.data()).replace("<", "\\u003c"),
            png=b64encode(self.picture()).decode(),
            alt=escape(self.describe(self.start)),
            caption=escape(self.caption),
        )

    @cached_property
    def widget(self) -> widgets.VBox:
        """The handles that need no mouse, with a running kernel."""
        levers = [
            lever
            for name in self.handles
            for lever in make_levers(name, self.start, self.limits)
        ]
        image = widgets.HTML()

        def show(change: object = None) -> None:
            state = self.start
            for box, path in levers:
                state = moved(state, path, box.value)
            png = b64encode(self.picture(state)).decode()
            alt = escape(self.describe(state))
            image.value = (
                f'<img src="data:image/png;base64,{png}" alt="{alt}">'
            )

        for box, _ in levers:
            box.observe(show, "value")
        show()
        boxes = [box for box, _ in levers]
        below = widgets.HTML(escape(self.caption))
        return widgets.VBox([*boxes, image, below])

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        bundle = {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "image/png": b64encode(self.picture()).decode(),
        }
        return bundled(self, bundle)
