"""The flow from the source itself, which forgets where it came from."""

import numpy as np

from perfalign._checks import check_integer
from perfalign._threads import one_blas_thread
from perfalign._types import Array, RandomState, View
from perfalign.flows._learned import LearnedFlow


class UnconditionalFlow(LearnedFlow):
    r"""A flow from the source itself; a warning, not a tool.

    Source and target latents are each brought to mean 0 and variance 1 in
    every feature. There points move along :math:`x_t = (1 - t)\,x + t\,y`,
    and the velocity knows where they are but not where they came from,

    .. math:: v(x_t, t) = E[y - x \mid x_t] .

    The flow transports the distribution of x to that of y. It need not keep
    the coupling: trajectories of an ordinary differential equation cannot
    cross, so where the straight paths of two classes cross, points are
    exchanged. If the classes are each other's mirror image, as many as meet
    there; a class of weight .9 beside one of .1 keeps most of its points.

    Parameters
    ----------
    velocity, n_samples, rtol, random_state
        As for `ConditionalFlow`; the columns are (x_t, t).

    Attributes
    ----------
    velocity_ : regressor
    mean_X_, scale_X_, mean_Y_, scale_Y_ : ndarray of shape (d,)
        Of the source and of the target latents, in their units.
    n_features_in_ : int
    feature_names_in_ : ndarray of str of shape (d,)
        Of a source that came as a data frame.

    Notes
    -----
    Flow matching between two samples (Lipman et al. 2023; Liu et al. 2023).
    There is no noise: `transport` takes none, and draws are all equal. Points
    on their way are shown with mean and scale between those of the source and
    those of the target.

    Examples
    --------
    Two classes meet halfway, and hardly a point ends with its own:

    >>> import numpy as np
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> from perfalign import ClassCoupling, UnconditionalFlow
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 2
    >>> X, Y = rng.normal(size=(2, 200, 1))
    >>> X, Y = X + 9 * labels[:, None], Y - 9 * labels[:, None]
    >>> velocity = ExtraTreesRegressor(20, min_samples_leaf=20, random_state=0)
    >>> flow = UnconditionalFlow(velocity, n_samples=2000, random_state=0)
    >>> flow = flow.fit(X, Y, ClassCoupling.from_labels(labels, labels))
    >>> made = flow.transport(X)[:, 0]
    >>> bool(np.mean((made < -4.5) == labels) < 0.2)
    True
    """

    _sees_source = False

    @one_blas_thread
    def sample(
        self, X: View, n_draws: int = 1, random_state: RandomState = None
    ) -> Array:
        n_draws = check_integer(n_draws, "n_draws")
        return np.tile(self.transport(X), (n_draws, 1, 1))

    def _start(self, X: View, noise: View) -> Array:
        if noise is not None:
            raise ValueError(
                "An UnconditionalFlow starts at X itself: wanted no noise."
            )
        return self._rows(X)

    def _first(self, x: Array, y: Array, rng: np.random.RandomState) -> Array:
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                "An UnconditionalFlow needs one dimension for both spaces; "
                f"seen {x.shape[1]} (X) and {y.shape[1]} (Y)."
            )
        return x

    def _place(self, points: Array, t: float) -> Array:
        points = points * ((1 - t) * self.scale_X_ + t * self.scale_Y_)
        return points + ((1 - t) * self.mean_X_ + t * self.mean_Y_)
