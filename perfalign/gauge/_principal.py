"""The gauge that an alignment has of itself."""

import numpy as np

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import svd
from perfalign._solver import (
    explained_moment,
    factor_latents,
    orientation,
    principal_rotation,
    tied_groups,
)
from perfalign._threads import one_blas_thread
from perfalign.alignment import PerfectAlignment
from perfalign.gauge._latents import check_alignment, independent


@one_blas_thread
def principal(alignment: PerfectAlignment) -> PerfectAlignment:
    r"""Return to the principal gauge, from whatever gauge.

    Latents are normalised as the constraint of the fit asks, ordered by
    misfit, rotated within ties so that :math:`\sum_m L_m^\top L_m` is
    diagonal and descending, and signed. :math:`L_m` are the loadings
    cov(x^m, ẑ), every feature in units of its own standard deviation; under
    ``"orthonormal"`` the pooled covariance of the latents takes the place of
    that sum.

    Parameters
    ----------
    alignment : PerfectAlignment
        Fitted, in any gauge.

    Returns
    -------
    alignment : PerfectAlignment
        New and fitted, with composed encoders and offsets.

    Raises
    ------
    ValueError
        If this is no fitted `PerfectAlignment`, or if the encoders' rows are
        dependent, so that there are no k latents to put in order.

    Notes
    -----
    The result depends on the *space* of the latents alone: two alignments
    that differ by an invertible map have the same principal gauge, to
    rounding. For an alignment fitted with ``gauge="principal"`` it is the
    gauge of the fit, whatever came between. One fitted with ``gauge=None``
    reaches the same encoders if k does not cut a tie; if it does, the
    singular value decomposition has chosen a part of the tie, and only the
    basis of that part is made definite. Its parameter `gauge` is
    ``"principal"`` from then on, so that a clone is fitted in this gauge.

    Where the diagonal above has equal entries within a tie, the rotation
    among these remains open, and rounding chooses it: the order of the items
    or the processor will do. Features of equal standing have such entries,
    as codes 0 and 1 of categories that are equally frequent.

    Time is O(d² k).

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment, gauge
    >>> from perfalign.datasets import make_gaussian_views
    >>> views = make_gaussian_views(random_state=0).views
    >>> default = PerfectAlignment(2).fit(views)
    >>> raw = gauge.principal(PerfectAlignment(2, gauge=None).fit(views))
    >>> np.allclose(raw.encoders_[0], default.encoders_[0], atol=1e-10)
    True
    """
    check_alignment(
        alignment, PerfectAlignment, "constraint that would choose a gauge"
    )
    summary, encoders = alignment.summary_, alignment.encoders_
    params = alignment.fit_params_
    blocks = summary.blocks(params["center"])
    pooled = params["constraint"] == "orthonormal"
    latents = factor_latents(blocks, encoders, params["ridge"])
    if pooled:
        scale, measured = 1.0, np.hstack(encoders).T
    else:
        scale, measured = summary.n_observations**0.5, np.vstack(latents)
    units = np.asarray(np.linalg.qr(measured / scale, mode="r"))
    if independent(units, FLOAT64_EPS) < len(units):
        raise ValueError(
            f"The latents have rank below n_components={len(units)}; there "
            "are not that many directions to order."
        )
    matrix = np.linalg.inv(units).T

    misfit = np.concatenate(np.tensordot(summary.contrasts, latents, 1))
    _, sigma, Vt = svd(misfit @ matrix.T / scale, full_matrices=False)
    sigma, matrix = sigma[::-1], Vt[::-1] @ matrix
    n_perfect = 0 if params["ridge"] else alignment.shared_dimension_
    if pooled:
        n_perfect += int(np.sum(summary.n_features - alignment.ranks_))
    groups = tied_groups(sigma, n_perfect)
    rtol = params["rtol"] or summary.default_rtol()
    latents = [X @ (matrix @ A).T for X, A in zip(summary.blocks(), encoders)]
    moment = explained_moment(summary, latents, rtol, pooled)
    matrix = principal_rotation(moment, groups).T @ matrix
    signs = orientation(
        summary, [matrix @ A for A in encoders], pooled, params["center"]
    )
    matrix = signs[:, None] * matrix
    # The offsets of the fit, which the encoders determine.
    origins = -alignment.latents_of_means()
    if params["center"]:
        origins = origins + summary.latents_of_means(encoders)
    placed = alignment.with_gauge(matrix, matrix @ np.mean(origins, axis=0))
    placed.set_params(gauge="principal")
    return placed
