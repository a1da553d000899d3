"""One model's latents, used through another model's own head."""

import warnings
from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    check_estimator,
    check_own_parameters,
    check_parameters,
    check_view,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, Labels, RandomState, View
from perfalign.flows._conditional import ConditionalFlow

# Shares that differ by less are equal.
ROUNDING = 1e-9


@one_blas_thread
def votes(head: Any, latents: Any) -> Array:
    r"""What a classifier makes of several draws for each item.

    .. math:: q_i(c) = \frac1S \sum_{s=1}^S \operatorname{head}_c(y_{si}),

    with the head's probabilities, or the shares of its decisions if it has
    no ``predict_proba``.

    Parameters
    ----------
    head : classifier
        Fitted on latents of this kind.
    latents : array-like of shape (n_draws, n_samples, d_2)
        As `ConditionalFlow.sample` returns them.

    Returns
    -------
    shares : ndarray of shape (n_samples, C)
        Columns in the order of ``head.classes_``; rows sum to 1.

    Raises
    ------
    ValueError
        If the head is no classifier, or latents have another shape.

    Notes
    -----
    Equal shares are left as they are. Whoever takes the first class of them
    favours it wherever few draws are unsure; `ModelBridge.predict` does not.

    Draws follow the flow's idea q of the class, and so a single one is right
    with probability :math:`\sum_c p(c)\, q(c)` only. Where q is the true
    posterior p, it errs up to twice as often as the vote of many, by the
    argument of Cover and Hart (1967) for the nearest neighbour.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from perfalign import votes
    >>> head = KNeighborsClassifier(1).fit([[0], [1]], ["no", "yes"])
    >>> print(votes(head, [[[0.1]], [[0.9]], [[0.8]], [[1.2]]]))
    [[0.25 0.75]]
    """
    return np.asarray(_ballots(head, latents).mean(axis=0))


def _ballots(head: Any, latents: Any) -> Array:
    """Shares of the classes, of shape (n_draws, n_samples, C)."""
    check_estimator(head, "head", ("predict", "classes_"))
    latents = np.asarray(latents, dtype=float)
    if latents.ndim != 3:
        raise ValueError(
            f"latents have shape {latents.shape}; wanted (n_draws, n_samples, "
            "d_2), as a flow draws them."
        )
    flat = latents.reshape(-1, latents.shape[2])
    if hasattr(head, "predict_proba"):
        ballots = _nameless(head.predict_proba, flat)
    else:
        ballots = _nameless(head.predict, flat)[:, np.newaxis] == head.classes_
    return np.asarray(ballots.reshape(*latents.shape[:2], -1))


def _nameless(method: Callable[[Array], Any], latents: Array) -> Any:
    """What a part says of latents whose columns were checked in the fit."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature")
        return method(latents)


def _winners(ballots: Array) -> Integers:
    """Classes with the most votes; the first draws decide between equals."""
    totals = ballots.mean(axis=0)
    leads = totals >= totals.max(axis=1, keepdims=True) - ROUNDING
    for ballot in ballots:
        best = np.max(ballot, axis=1, where=leads, initial=0, keepdims=True)
        leads &= ballot >= best - ROUNDING
    return np.asarray(leads.argmax(axis=1))


class ModelBridge(ClassifierMixin, BaseEstimator):
    r"""Use a model on another model's latents, through a flow.

    Source latents x are sent to target latents by a flow that was learned
    from a coupling, and then read by what the target model has already:
    a head that names classes, a decoder that draws. Neither is trained again.

    .. math:: x \;\xrightarrow{\text{flow, noise}}\; y
              \;\xrightarrow{\text{head or decoder}}\; \text{class or picture}

    The coupling says how the two spaces were joined: a plan of optimal
    transport under a bridge cost (`transport_plan`, setting 1), or classes
    that both sides have exemplars of (`ClassCoupling`, setting 2).

    Parameters
    ----------
    head : classifier, default=None
        The target model's, fitted on target latents.
    decoder : transformer or regressor, default=None
        The target model's: something fitted whose ``inverse_transform``, or
        else ``predict``, turns target latents into what they stand for.
    flow : flow, default=None
        Any `Flow`, or what has its methods ``fit(X, Y, coupling)`` and
        ``sample(X, n_draws, random_state)``. A copy of it is fitted; None
        takes ``ConditionalFlow(random_state=random_state)``.
    n_draws : int, default=20
        Target latents drawn for each source latent, to vote or to average.
    random_state : int or None, default=None
        Seeds the flow and the draws; equal calls then give equal results.

    Attributes
    ----------
    flow_ : flow
        Fitted.

    Notes
    -----
    The use of two models that Gholamzadeh and Sajid (2025) describe. Read
    `score` beside the head's accuracy on target latents, which bounds what
    can be hoped for.

    What comes of a row does not depend on the rows beside it: each has noise
    of its own, which `random_state` and its numbers decide. A copy made by
    ``sklearn.base.clone`` keeps the head and the decoder as they are, fitted.

    Examples
    --------
    Twelve source items of two classes, twenty target items that are none of
    them; the target model is a nearest neighbour.

    >>> import numpy as np
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from perfalign import ClassCoupling, ConditionalFlow, ModelBridge
    >>> rng = np.random.default_rng(0)
    >>> seen, known = np.arange(12) % 2, np.arange(20) % 2
    >>> X = rng.normal(size=(12, 3)) + 9 * seen[:, np.newaxis]
    >>> Y = rng.normal(size=(20, 2)) - [9, 0] * known[:, np.newaxis]
    >>> head = KNeighborsClassifier(1).fit(Y, known)
    >>> velocity = ExtraTreesRegressor(10, max_depth=9, random_state=0)
    >>> flow = ConditionalFlow(velocity, n_samples=2000, random_state=0)
    >>> bridge = ModelBridge(head, flow=flow, random_state=0)
    >>> coupling = ClassCoupling.from_labels(seen, known)
    >>> bridge = bridge.fit(X, Y, coupling)
    >>> print(f"{bridge.score(X, seen):.2f}")
    1.00
    """

    _parameter_constraints = {
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    # A coupling is data, nothing for scikit-learn to route.
    __metadata_request__fit = {"coupling": UNUSED}

    def __init__(
        self,
        head: Any = None,
        *,
        decoder: Any = None,
        flow: Any = None,
        n_draws: int = 20,
        random_state: RandomState = None,
    ) -> None:
        self.head = head
        self.decoder = decoder
        self.flow = flow
        self.n_draws = n_draws
        self.random_state = random_state

    def __sklearn_clone__(self) -> Self:
        # Clones of the target model's parts would have forgotten everything.
        return type(self)(
            self.head,
            decoder=self.decoder,
            flow=clone(self.flow),
            n_draws=self.n_draws,
            random_state=self.random_state,
        )

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the flow too.

        Parameters
        ----------
        **params : dict
            By name, ``flow__`` before those of the flow.

        Returns
        -------
        self : ModelBridge

        Raises
        ------
        ValueError
            For parameters of the head or the decoder: they are fitted, and
            clones have them in common.
        """
        check_own_parameters(self, params, {"head", "decoder"})
        super().set_params(**params)
        return self

    @one_blas_thread
    def fit(self, X: View, Y: View, coupling: Any) -> Self:
        """Learn the flow; the head and the decoder stay as they are.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
            Source latents that the coupling speaks of.
        Y : array-like of shape (n_target, d_2)
            Target latents that it speaks of, of other items.
        coupling : Coupling, matrix of masses or the like
            As for `ConditionalFlow.fit`.

        Returns
        -------
        self : ModelBridge

        Raises
        ------
        ValueError
            As `ConditionalFlow.fit`, or if the head, the decoder or the flow
            lacks what it is asked for, or was made for latents of another
            dimension.
        """
        check_parameters(self)
        self._check_parts(Y)
        flow = self.flow
        if flow is None:
            flow = ConditionalFlow(random_state=self.random_state)
        check_estimator(flow, "flow", ("fit", "sample"))
        self.flow_ = clone(flow).fit(X, Y, coupling)
        return self

    @property
    def classes_(self) -> Labels:
        """Labels that the head tells apart, of shape (C,)."""
        return np.asarray(self.head.classes_)

    def _check_parts(self, Y: View) -> None:
        if self.head is not None:
            check_estimator(self.head, "head", ("predict", "classes_"))
        if self.decoder is not None and not hasattr(self.decoder, "predict"):
            check_estimator(self.decoder, "decoder", ("inverse_transform",))
        shape = check_view(Y, "Y")[0].shape
        for name in ("head", "decoder"):
            part = getattr(self, name)
            wanted = _latent_dimension(part)
            if wanted not in (None, shape[1]):
                raise ValueError(
                    f"The {name} reads latents of dimension {wanted}; Y has "
                    f"shape {shape}."
                )
            # A decoder that inverts has other names in than out.
            if not hasattr(part, "inverse_transform"):
                names = getattr(part, "feature_names_in_", None)
                check_view(Y, "Y", columns=names)

    @one_blas_thread
    def sample(self, X: View, n_draws: int | None = None) -> Array:
        """Draw target latents for each source latent.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
        n_draws : int, default=None
            The parameter `n_draws` if None.

        Returns
        -------
        latents : ndarray of shape (n_draws, n_samples, d_2)

        Raises
        ------
        ValueError
            If not fitted, or X does not have d_1 columns.
        """
        check_is_fitted(self, "flow_")
        n_draws = self.n_draws if n_draws is None else n_draws
        return np.asarray(self.flow_.sample(X, n_draws, self.random_state))

    @one_blas_thread
    def translate(self, X: View) -> Array:
        """Mean of the draws: one target latent for each source latent.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)

        Returns
        -------
        latents : ndarray of shape (n_samples, d_2)

        Raises
        ------
        ValueError
            As `sample`.
        """
        return np.asarray(self.sample(X).mean(axis=0))

    @one_blas_thread
    def predict_proba(self, X: View) -> Array:
        """Votes of the draws, as the target model's head reads them.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)

        Returns
        -------
        shares : ndarray of shape (n_samples, C)

        Raises
        ------
        ValueError
            As `sample`, or if there is no head.
        """
        return votes(self._part("head"), self.sample(X))

    @one_blas_thread
    def predict(self, X: View) -> Labels:
        """Class with the most votes.

        Between classes with equally many, the first draw decides, or the
        first that prefers one of them. Draws are in no order, so that each
        class has the same chance; only where the head itself never prefers
        one, the first of `classes_` is taken.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)

        Returns
        -------
        labels : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        ballots = _ballots(self._part("head"), self.sample(X))
        return np.asarray(self.classes_[_winners(ballots)])

    @one_blas_thread
    def generate(self, X: View, n_draws: int = 1) -> Array:
        """What the target model's decoder makes of bridged latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
        n_draws : int, default=1
            Pictures for each source latent. They are single draws: the mean
            of latents is the latent of a blurred picture.

        Returns
        -------
        outputs : ndarray of shape (n_draws, n_samples, n_outputs)

        Raises
        ------
        ValueError
            As `sample`, or if there is no decoder.
        """
        decoder = self._part("decoder")
        decode = getattr(decoder, "inverse_transform", None) or decoder.predict
        latents = self.sample(X, n_draws)
        made = _nameless(decode, latents.reshape(-1, latents.shape[2]))
        return np.asarray(made).reshape(*latents.shape[:2], -1)

    def _part(self, name: str) -> Any:
        part = getattr(self, name)
        if part is None:
            raise ValueError(
                f"This needs the target model's {name}; ModelBridge was made "
                "without one."
            )
        return part


def _latent_dimension(part: Any) -> int | None:
    """What a head reads, or a decoder, if it says so."""
    if hasattr(part, "inverse_transform"):
        components = getattr(part, "components_", None)
        return None if components is None else len(components)
    return getattr(part, "n_features_in_", None)
