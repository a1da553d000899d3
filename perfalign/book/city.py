"""Two maps of one city: from where the handles are to all that is shown.

The page's scripts (``pages/live/city.js``) compute the same; tests compare.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.alignment import PerfectAlignment, existence_report
from perfalign.metrics import alignment_error, reconstruction_error

#: From the place to the picture: what the makers of the two maps did to it.
SHAPES = ([[0.96, 0.22], [-0.12, 0.9]], [[-0.68, 0.62], [0.66, 0.52]])
OWN = 3
#: The places' own unit is nobody's business: large enough to be seen.
UNIT = 2

Pair = Sequence[float]


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
    noise : float
        Standard deviation of an error in every channel.
    turn : float
        Degrees by which the latents are turned.
    gauge : two pairs of float
        Where the latents (1, 0) and (0, 1) go, before they are turned.
    moved : tuple of dict of int to pair of float
        By how much pins were moved on each map.
    """

    pairs: int
    shift: int = 0
    own: tuple[int, int] = (1, 1)
    silent: bool = False
    lean: float = 0
    noise: float = 0
    turn: float = 0
    gauge: tuple[Pair, Pair] = ((1, 0), (0, 1))
    moved: tuple[dict[int, Pair], ...] = field(
        default_factory=lambda: ({}, {})
    )


class City:
    """Places, what two maps say of them, and what aligns the maps.

    Parameters
    ----------
    n_places : int
    random_state : int
    """

    def __init__(self, n_places: int, random_state: int) -> None:
        rng = np.random.default_rng(random_state)
        self.places = _apart(n_places, rng)
        self.own = rng.normal(size=(2, n_places, OWN)).round(2)
        self.errors = rng.normal(size=(2, n_places, 2 + OWN)).round(2)

    def views(self, state: State) -> list[Array]:
        """What the two maps say of every place, a row each."""
        found = []
        for m, shape in enumerate(SHAPES):
            pins = self.places @ np.array(shape)
            for place, step in state.moved[m].items():
                pins[int(place)] += step
            view = np.hstack([pins, self.own[m][:, : state.own[m]]])
            errors = self.errors[m][:, : view.shape[1]]
            found.append(view + state.noise * errors)
        if state.silent:
            found[0] = np.pad(found[0], [(0, 0), (0, 1)])
        return found

    def seen(self, state: State) -> list[Array]:
        """The rows that are known on both maps, as they are paired."""
        one, two = [view[: state.pairs] for view in self.views(state)]
        return [one, np.roll(two, -state.shift, axis=0)]

    def gauge(self, latents: ArrayLike, state: State) -> Array:
        """What becomes of the latents: upright as the first map, and on.

        The orthogonal Procrustes problem, then the reader's gauge and turn;
        the second row fades as it leans on a silent channel.
        """
        pins = self.seen(state)[0][:, :2]
        U, _, Vt = np.linalg.svd(
            (pins - pins.mean(axis=0)).T @ np.asarray(latents)
        )
        turn, lean = np.radians([state.turn, state.lean * state.silent])
        c, s = np.cos(turn), np.sin(turn)
        fade = np.diag([1, np.cos(lean)])
        G = np.transpose(state.gauge)
        found: Array = [[c, -s], [s, c]] @ G @ fade @ U @ Vt
        return found

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
        sigma = np.sort(fitted.singular_values_)[: min(found.ranks)]
        return {
            "ranks": list(found.ranks),
            "stackRank": found.stack_rank,
            "nullity": found.nullity,
            "shared": found.shared_dimension,
            "vacuous": found.vacuous_dimension,
            "evidence": found.evidence_dimension,
            "singularValues": fitted.singular_values_,
            "angles": np.degrees(2 * np.arcsin(sigma / 2**0.5)),
            "encoders": encoders,
            "latents": latents,
            "seenError": alignment_error(pairs),
            "newError": alignment_error([z[state.pairs :] for z in latents]),
            "truthError": reconstruction_error(
                self.truth(state), latents[0], kind="mean"
            ),
        }

    def truth(self, state: State) -> Array:
        """The places themselves, about the middle of those that were seen."""
        middle = self.places[: state.pairs].mean(axis=0)
        centred: Array = UNIT * (self.places - middle)
        return centred

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
