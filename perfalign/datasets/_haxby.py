"""A brain that looks at things of eight kinds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import detrend
from sklearn.utils import Bunch

from perfalign._types import Array
from perfalign.datasets._files import read_arrays, read_description


def load_haxby() -> Bunch:
    """Two hemispheres of a person who is looking at things of eight kinds.

    Functional magnetic resonance imaging of one of the six persons of Haxby
    et al. 2001: the rear half of one horizontal slice, twelve runs of eight
    blocks of 24 s, a block for each kind of thing.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of two ndarray of shape (864, d_m)
            Response of each voxel of either hemisphere, to one volume (2.5 s)
            a row: in every run the linear trend is taken out and the voxel
            divided by its standard deviation, over all volumes of the run.
            No label is used, and nothing of another run.
        view_names : tuple of str
            ``("left hemisphere", "right hemisphere")``, by the orientation
            that the header of the images states.
        target : ndarray of shape (864,)
            What was looked at, as an index into `target_names`; 108 volumes
            of each. Chance is 0.125.
        target_names : ndarray of str of shape (8,)
            ``bottle cat chair face house scissors scrambledpix shoe``.
        run : ndarray of shape (864,)
            0 to 11. Split by it: the nine volumes of a block follow each
            other and are near-copies.
        brain : list of two ndarray of bool of shape (40, 20)
            Where in the slice the voxels of each view are, so that
            ``picture[brain[0]] = views[0][i]`` draws a row.
        DESCR : str
            Origin, changes, licence and attribution.

    Notes
    -----
    The 588 volumes of rest are used to find trends and deviations, and left
    out of the views. The response lags behind the picture by about two
    volumes, so that the first of a block are poor; none is dropped.

    References
    ----------
    J. V. Haxby, M. I. Gobbini, M. L. Furey, A. Ishai, J. L. Schouten and
    P. Pietrini 2001, Distributed and overlapping representations of faces and
    objects in ventral temporal cortex, Science 293, 2425–2430.

    Examples
    --------
    >>> from perfalign.datasets import load_haxby
    >>> haxby = load_haxby()
    >>> [view.shape for view in haxby.views]
    [(864, 277), (864, 253)]
    >>> print(*haxby.target_names)
    bottle cat chair face house scissors scrambledpix shoe
    """
    arrays = read_arrays("haxby_slice")
    inside = arrays["bold"].min(axis=0) > 0
    # The first axis runs from the right of the head to its left.
    left = np.arange(len(inside))[:, None] >= len(inside) // 2
    brain = [inside & left, inside & ~left]
    shown = arrays["label"] != "rest"
    names, target = np.unique(arrays["label"][shown], return_inverse=True)
    return Bunch(
        views=[
            _responses(arrays["bold"][:, voxels], arrays["run"])[shown]
            for voxels in brain
        ],
        view_names=("left hemisphere", "right hemisphere"),
        target=target,
        target_names=names,
        run=arrays["run"][shown].astype(int),
        brain=brain,
        DESCR=read_description("Haxby"),
    )


def _responses(signals: NDArray[Any], run: NDArray[Any]) -> Array:
    """Without trend and in units of its deviation, run by run."""
    responses = np.empty(signals.shape)
    for r in np.unique(run):
        flat = detrend(signals[run == r].astype(np.float64), axis=0)
        responses[run == r] = flat / flat.std(axis=0)
    return responses
