"""Two views of which nobody knows a single pair."""

from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from perfalign._checks import (
    FLOAT64_EPS,
    Signature,
    as_list,
    check_integer,
    check_parameters,
    check_view,
    latent_dtype,
    warn,
)
from perfalign._linalg import centred, column_norms, singular_values, svd
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Floats, RandomState, Views
from perfalign.alignment import BaseAlignment
from perfalign.unpaired._answers import Found, best_first, distinct
from perfalign.unpaired._rounds import forgetful
from perfalign.unpaired._starts import by_clusters, by_moments

#: How many of the best starts are gone on with, how often at most, and for
#: what gain.
N_AGAIN, N_MORE, LEAST_GAIN = 2, 4, 1e-3

#: Powers of a row's length that moments are weighed by, in the first starts.
POWERS = 1.0, 2.0


class UnidentifiedWarning(UserWarning):
    """Without pairs more than one answer is as good as the best."""


class UnsupervisedAlignment(BaseAlignment):
    r"""One rotation of two views, without a pair and without a label.

    Each view is centred and written in its principal components, in units of
    its own spread or, if whitened, of each component's. What is sought is the
    rotation after which the views have partners in each other,

    .. math:: \max_{Q^\top Q = I} \;
              \operatorname{mean}_i \max_j \cos(Q^\top x_i, y_j)
            + \operatorname{mean}_j \max_i \cos(Q^\top x_i, y_j) ,

    which nothing but the shapes of the two clouds decides. It has many
    valleys, and each start looks into one: rows are grouped in either view,
    groups are matched by how they lie to each other, items by how they lie
    to the groups, and a rotation is fitted to the items that are matched.
    Then items are matched by it, mutual neighbours with hubs set aside, and
    the rotation is fitted again, over and over: first among random tenths of
    all pairs of rows, in the end among all, so that early mistakes are
    forgotten. The two best starts are gone on with while they gain. The
    first two starts know axes instead of groups: those of moments, which lie
    in the views as the views lie.

    Whether it has worked, no pair can say. But wrong answers are many, fit
    about equally well, and are seldom found twice, and what is right by
    symmetry fits as well as what is right: unless one answer fits better than
    every other and two starts have come to it, the fit warns.

    Parameters
    ----------
    n_components : int, default=None
        Latent dimension k; as many as both views have if None.
    whiten : bool, default=False
        Take any invertible map between the views for possible, and not only
        one that keeps distances. Without pairs, units of single components
        are then unknown, too.
    n_clusters : int, default=20
        Groups in each view, of which no view may have fewer rows.
    n_starts : int, default=10
        At least 2.
    n_rounds : int, default=40
        Rounds of matching and fitting in each start.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (k, n_features_m)
    centers_ : list of two ndarray of shape (n_features_m,)
        Means of the views, which have the latent 0.
    solutions_ : list of Solution
        Different answers, the best first; the encoders are by the first.
    stands_out_ : bool
        Whether two starts came to the first answer, and every other one
        fits worse by four standard errors.

    Warns
    -----
    UnidentifiedWarning
        Unless `stands_out_`. What else could be true is in `solutions_`, and
        `with_solution` uses it.

    See Also
    --------
    mutual_matches : pairs of rows, from the latents.
    perfalign.baselines.ProcrustesAlignment : the same rotation, from pairs.

    Notes
    -----
    Self-training by mutual neighbours is that of Conneau et al. (2018), the
    start by matched clusters that of Dar (2025), random parts of the
    similarities are after Artetxe et al. (2018). The order of rows makes no
    difference, nor does the unit of a view; that of a single column does,
    unless views are whitened and no component is left out. Time is
    O(n_1 n_2 k) a round, memory O(n_1 n_2).

    `stands_out_` is no proof: it says that answers differ in how they fit, and
    where few starts have looked, two may have met in a wrong one. In a study
    of worlds of three concepts and views of different items, 1 wrong answer
    of 100 stood out after four starts, and 0 of 94 after ten; of worlds of
    three to ten concepts and mostly the same items, after four, 2 of 45.

    References
    ----------
    A. Conneau, G. Lample, M. Ranzato, L. Denoyer and H. Jégou 2018, Word
    translation without parallel data, International Conference on Learning
    Representations. arXiv:1710.04087.

    M. Artetxe, G. Labaka and E. Agirre 2018, A robust self-learning method
    for fully unsupervised cross-lingual mappings of word embeddings, 56th
    Annual Meeting of the Association for Computational Linguistics, 789–798.
    arXiv:1805.06297.

    G. Dar 2025, mini-vec2vec: scaling universal geometry alignment with
    linear transformations. arXiv:2510.02348.

    Examples
    --------
    Two rotated views of skewed concepts, and the rows of one in disorder:

    >>> import numpy as np
    >>> from perfalign.unpaired import UnsupervisedAlignment, mutual_matches
    >>> rng = np.random.default_rng(0)
    >>> X = rng.exponential(size=(300, 4))
    >>> order = rng.permutation(300)
    >>> Y = X[order] @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> alignment = UnsupervisedAlignment(n_starts=4, random_state=0)
    >>> pairs = mutual_matches(*alignment.fit([X, Y]).transform([X, Y]))
    >>> bool(np.all(pairs.first == order[pairs.second]))
    True
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "whiten": ["boolean"],
        "n_clusters": [Interval(Integral, 2, None, closed="left")],
        "n_starts": [Interval(Integral, 2, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        whiten: bool = False,
        n_clusters: int = 20,
        n_starts: int = 10,
        n_rounds: int = 40,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.n_clusters = n_clusters
        self.n_starts = n_starts
        self.n_rounds = n_rounds
        self.random_state = random_state

    @property
    def n_components_(self) -> int:
        """Latent dimension k."""
        return len(self.encoders_[0])

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        """Find the rotation.

        Parameters
        ----------
        views : list or dict of two array-like of shape (n_m, n_features_m)
            Rows in any order, and as many in each as there are.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : UnsupervisedAlignment

        Raises
        ------
        ValueError
            For invalid parameters, more components or clusters than there
            can be, or other than two finite real matrices that vary.
        """
        check_parameters(self)
        listed, names = as_list(views)
        if len(listed) != 2:
            raise ValueError(
                f"UnsupervisedAlignment aligns two views; seen {len(listed)}."
            )
        given, bases = [], []
        for view, name in zip(listed, names or range(2)):
            called = f"view {name!r}"
            X, eps = check_view(view, called)
            check_integer(
                self.n_clusters,
                "n_clusters",
                2,
                len(X),
                f", the rows of {called}",
            )
            # What draws rows by number must not see in which order they came.
            given.append(X[np.lexsort(X.T)])
            bases.append(self._principal(given[-1], eps, called))
        limit = min(map(len, bases))
        k = check_integer(
            limit if self.n_components is None else self.n_components,
            "n_components",
            most=limit,
            what=", the components of the narrower view",
        )
        bases = [basis[:k] for basis in bases]
        centers = [X.mean(axis=0) for X in given]
        latents = [
            (X - center) @ basis.T
            for X, center, basis in zip(given, centers, bases)
        ]
        draw = check_random_state(self.random_state)
        seeds = draw.randint(2**31, size=self.n_starts)
        rotations = [
            self._rotated(latents, start, int(seed))
            for start, seed in enumerate(seeds)
        ]
        directions = [normalize(Z) for Z in latents]
        found = best_first(rotations, *directions)
        seeds = draw.randint(2**31, size=N_AGAIN)
        found[:N_AGAIN] = [
            self._gone_on(one, directions, int(seed))
            for one, seed in zip(found[:N_AGAIN], seeds)
        ]
        self.solutions_ = distinct(found, directions[0])
        self.signature_, self.centers_ = Signature.of(views), centers
        self._bases = bases
        self._use(0)
        self.stands_out_ = self._judge()
        return self

    def with_solution(self, place: int) -> "UnsupervisedAlignment":
        """The same fit, with another of the `solutions_`.

        Parameters
        ----------
        place : int
            Position of the answer.

        Returns
        -------
        alignment : UnsupervisedAlignment

        Raises
        ------
        ValueError
            If there is no such answer.
        """
        self.check_fitted()
        check_integer(place, "place", 0, len(self.solutions_) - 1)
        other = copy(self)
        other._use(place)
        return other

    def _use(self, place: int) -> None:
        first, second = self._bases
        self.encoders_ = [self.solutions_[place].rotation.T @ first, second]

    def _encode(self, X: Array, m: int) -> Array:
        latents: Array = (X - self.centers_[m]) @ self.encoders_[m].T
        return latents

    @one_blas_thread
    def decode(self, latents: ArrayLike, view: int | str) -> Floats:
        self.check_fitted()
        m = self.signature_.position(view)
        z = self._latents_of_fit(latents)
        # Principal components: the best linear reconstruction from latents.
        decoded: Floats = (
            self.centers_[m] + z @ np.linalg.pinv(self.encoders_[m]).T
        )
        return decoded.astype(latent_dtype(latents), copy=False)

    def _principal(self, X: Array, eps: float, name: str) -> Array:
        """Principal components, as rows, that send X to variance one."""
        # Column by column: what is rounding depends on no unit.
        size = column_norms(X)
        varying = singular_values(centred(X) / np.where(size > 0, size, 1.0))
        least = max(max(X.shape) * FLOAT64_EPS, 10 * eps) * len(X.T) ** 0.5
        rank = np.count_nonzero(varying > least)
        if not rank:
            raise ValueError(
                f"{name} does not vary: all its {len(X)} rows are equal, up "
                "to rounding, so there is nothing to align."
            )
        # A power of two changes no digit and keeps squares within range.
        power = np.frexp(np.abs(X).max())[1]
        moved = np.ldexp(X - X.mean(axis=0), -power)
        _, s, Vt = svd(moved, full_matrices=False)
        s, Vt = s[:rank], Vt[:rank]
        units = s if self.whiten else np.linalg.norm(s)
        basis = np.sqrt(len(X)) * (Vt.T / units).T
        return np.asarray(np.ldexp(basis, -power))

    def _rotated(self, latents: list[Array], start: int, seed: int) -> Array:
        """The rotation to which one start comes."""
        rng = np.random.default_rng(seed)
        first, second = map(normalize, latents)
        if start < len(POWERS):
            rotation = by_moments(latents, POWERS[start])
        else:
            rotation = by_clusters((first, second), self.n_clusters, rng)
        return forgetful(rotation, first, second, self.n_rounds, rng)

    def _gone_on(
        self, one: Found, directions: list[Array], seed: int
    ) -> Found:
        """A start, after more such rounds, for as long as it gains."""
        rng = np.random.default_rng(seed)
        first, second = directions
        for _ in range(N_MORE):
            rotation = forgetful(
                one.rotation, first, second, self.n_rounds, rng
            )
            again = Found.of(rotation, first, second)
            if again.fit <= one.fit + LEAST_GAIN:
                break
            one = again
        return one

    def _judge(self) -> bool:
        best, *others = self.solutions_
        level = [other for other in others if not best.fits_better(other)]
        if level:
            warn(
                f"{1 + len(level)} different answers fit equally well, up to "
                f"a cosine of {best.fit:.3f}. Either the data are symmetric "
                "and more than one is true, or none is. No further start can "
                "choose among those that are true; solutions_ holds all.",
                UnidentifiedWarning,
            )
        elif best.n_starts < 2:
            warn(
                f"Of {self.n_starts} starts only one came to the best answer, "
                f"with a cosine of {best.fit:.3f}. More starts may find it "
                "again, or a better one.",
                UnidentifiedWarning,
            )
        return not level and best.n_starts > 1
