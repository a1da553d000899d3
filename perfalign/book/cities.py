"""Two maps of one city: an explorer that is computed in the page.

The page's scripts (``pages/live``) compute what `City` computes here; a test
compares them. Stored in a notebook are the places and one picture.
"""

import warnings
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from html import escape
from json import dumps
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.alignment import PerfectAlignment, existence_report
from perfalign.book.live import bundled
from perfalign.book.maps import overlay
from perfalign.metrics import alignment_error

#: From the place to the picture: what the makers of the two maps did to it.
SHAPES = ([[0.96, 0.22], [-0.12, 0.9]], [[-0.68, 0.62], [0.66, 0.52]])
OWN = 3

_HTML = """\
<figure class="cities">
<script type="application/json">{data}</script>
<img src="data:image/png;base64,{png}" alt="{alt}">
<figcaption>{caption}</figcaption>
</figure>"""


@dataclass(frozen=True)
class State:
    """Where the handles are.

    Attributes
    ----------
    pairs : int
        Places known on both maps; the others are new.
    shift : int
        Each place of the first map is paired with the one so many further
        on; 0 is the true pairing.
    own : tuple of int
        Signals that only this map knows.
    silent : bool
        Whether the first map has a channel in which nothing is.
    lean : float
        Degrees by which the second encoder row leans on that channel.
    turn : float
        Degrees by which the latents are turned.
    moved : tuple of dict of int to pair of float
        By how much pins were moved on each map.
    """

    pairs: int
    shift: int = 0
    own: tuple[int, int] = (1, 1)
    silent: bool = False
    lean: float = 0
    turn: float = 0
    moved: tuple[dict[int, Sequence[float]], ...] = field(
        default_factory=lambda: ({}, {})
    )


class Cities:
    """The same places on two maps, aligned while a reader changes them.

    Parameters
    ----------
    n_places : int, default=18
    pairs : tuple of int, default=(4, 12, 14)
        Fewest, first and most pairs.
    own : tuple of int, default=(1, 1)
        Signals that only this map knows, at most three each.
    room : bool, default=False
        Show how the two row spaces share the room, and handles for `own`.
    caption : str
        Plain text below.
    random_state : int, default=0

    Raises
    ------
    ValueError
        If places and pairs do not go together.

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
        room: bool = False,
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
        self.limits = fewest, most
        self.start = State(first, own=own)
        self.room = room
        self.caption = caption
        rng = np.random.default_rng(random_state)
        self.places = _apart(n_places, rng)
        self.own = rng.normal(size=(2, n_places, OWN)).round(2)

    def __repr__(self) -> str:
        return f"<Cities: two maps of {len(self.places)} places>"

    def views(self, state: State) -> list[Array]:
        """What the two maps say of every place, a row each."""
        found = []
        for shape, own, count, moved in zip(
            SHAPES, self.own, state.own, state.moved
        ):
            pins = self.places @ np.array(shape)
            for place, step in moved.items():
                pins[int(place)] += step
            found.append(np.hstack([pins, own[:, :count]]))
        if state.silent:
            found[0] = np.pad(found[0], [(0, 0), (0, 1)])
        return found

    def seen(self, state: State) -> list[Array]:
        """The rows that are known on both maps, as they are paired."""
        one, two = [view[: state.pairs] for view in self.views(state)]
        return [one, np.roll(two, -state.shift, axis=0)]

    def gauge(self, latents: ArrayLike, state: State) -> Array:
        """What turns the latents: upright as the first map, and on.

        The orthogonal Procrustes problem, then the reader's turn; the second
        row fades as it leans on a silent channel.
        """
        pins = self.seen(state)[0][:, :2]
        U, _, Vt = np.linalg.svd(
            (pins - pins.mean(axis=0)).T @ np.asarray(latents)
        )
        turn, lean = np.radians([state.turn, state.lean * state.silent])
        c, s = np.cos(turn), np.sin(turn)
        fade = np.diag([1, np.cos(lean)])
        upright: Array = [[c, -s], [s, c]] @ fade @ U @ Vt
        return upright

    def solve(self, state: State) -> dict[str, Any]:
        """All that the page shows of a state, by the package."""
        seen = self.seen(state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = PerfectAlignment(2).fit(seen)
        gauge = self.gauge(sum(fitted.transform(seen)), state)
        encoders = [gauge @ A for A in fitted.encoders_]
        if state.silent:
            turn, lean = np.radians([state.turn, state.lean])
            encoders[0][:, -1] = np.sin(lean) * np.array(
                [-np.sin(turn), np.cos(turn)]
            )
        latents = [z @ gauge.T for z in fitted.transform(self.views(state))]
        pairs = [z @ gauge.T for z in fitted.transform(seen)]
        found = existence_report(seen)
        return {
            "ranks": list(found.ranks),
            "stackRank": found.stack_rank,
            "nullity": found.nullity,
            "shared": found.shared_dimension,
            "vacuous": found.vacuous_dimension,
            "evidence": found.evidence_dimension,
            "singularValues": fitted.singular_values_,
            "encoders": encoders,
            "latents": latents,
            "seenError": alignment_error(pairs),
            "newError": alignment_error([z[state.pairs :] for z in latents]),
        }

    @cached_property
    def streets(self) -> list[tuple[int, int]]:
        """Between places that no third one lies between."""
        squares = np.sum(
            (self.places[:, None] - self.places[None]) ** 2, axis=2
        )
        pairs = zip(*np.triu_indices(len(squares), 1))
        return [
            (int(i), int(j))
            for i, j in pairs
            if np.sum(squares[i] + squares[j] < squares[i, j]) == 0
        ]

    def picture(self, state: State | None = None) -> bytes:
        """PNG of a state, the first one if none is given."""
        state = state or self.start
        maps = [view[:, :2] for view in self.views(state)]
        latents = self.solve(state)["latents"]
        figure = overlay(maps, latents, self.streets, state.pairs)
        return figure._repr_png_()

    def describe(self, state: State) -> str:
        """Alternative text of the picture."""
        found = self.solve(state)
        s, evidence = found["shared"], found["evidence"]
        return (
            f"Two maps of the same {len(self.places)} places, one turned and "
            f"sheared against the other, and both laid on each other by "
            f"encoders that {state.pairs} pairs have taught: {s} dimensions "
            f"agree exactly, {evidence} of them more than strangers would. "
            f"New places miss by {found['newError']:.2f}."
        )

    def data(self) -> dict[str, Any]:
        return {
            "places": self.places.tolist(),
            "own": self.own.tolist(),
            "shapes": SHAPES,
            "streets": self.streets,
            "limits": self.limits,
            "room": self.room,
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
        fewest, most = self.limits
        pairs = widgets.IntSlider(
            self.start.pairs, fewest, most, description="pairs"
        )
        shuffled = widgets.Checkbox(False, description="shuffle the pairs")
        silent = widgets.Checkbox(False, description="a silent channel")
        lean = widgets.IntSlider(0, 0, 90, description="lean on it")
        turn = widgets.IntSlider(0, -180, 180, description="gauge")
        handles = [pairs, shuffled, silent, lean, turn]
        image = widgets.HTML()

        def show(change: object = None) -> None:
            state = replace(
                self.start,
                pairs=pairs.value,
                shift=int(shuffled.value),
                silent=silent.value,
                lean=lean.value,
                turn=turn.value,
            )
            png = b64encode(self.picture(state)).decode()
            alt = escape(self.describe(state))
            image.value = (
                f'<img src="data:image/png;base64,{png}" alt="{alt}">'
            )

        for handle in handles:
            handle.observe(show, "value")
        show()
        return widgets.VBox(
            [*handles, image, widgets.HTML(escape(self.caption))]
        )

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        bundle = {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "image/png": b64encode(self.picture()).decode(),
        }
        return bundled(self, bundle)


def _apart(n_places: int, rng: np.random.Generator) -> Array:
    """Places in a disc, no two of them close."""
    gap = 1.15 / n_places**0.5
    found: list[Array] = []
    while len(found) < n_places:
        place = rng.uniform(-1, 1, size=2).round(3)
        near = [np.hypot(*(place - other)) < gap for other in found]
        if np.hypot(*place) < 1 and not any(near):
            found.append(place)
    return np.array(found)
