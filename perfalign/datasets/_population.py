"""Simulated neurons that look at images, and whose truth is known."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

from perfalign._threads import one_blas_thread
from perfalign._types import Array, RandomState
from perfalign.datasets._numbers import numbers


@one_blas_thread
def make_population(
    images: ArrayLike,
    n_neurons: int = 200,
    *,
    peak_rate: float = 40.0,
    window: float = 0.2,
    noise: float = 0.5,
    correlation: float = 0.3,
    cells: str = "simple",
    random_state: RandomState = None,
) -> Bunch:
    r"""Spike counts of a population of neurons that look at images.

    Neuron u has a receptive field :math:`g_u` in the shape of a Gabor patch.
    To image i it responds with a Poisson number of spikes whose rate is a
    rectified drive,

    .. math::

        s_{iu} & = \langle g_u, x_i \rangle / \tau, \\
        \lambda_{iu} & = \lambda \, \max(0,\, s_{iu} + \sigma \eta_{iu}), \\
        y_{iu} & \sim \mathrm{Poisson}(T \lambda_{iu}),

    with :math:`\tau` the root mean square of the drive over all neurons and
    images. So much is nearly linear in the image. *Complex* cells are not:
    with :math:`g'_u` the same patch, its grating shifted by a quarter of a
    wavelength, their drive is the root of an energy,

    .. math:: s_{iu} = \sqrt{\langle g_u, x_i \rangle^2
                            + \langle g'_u, x_i \rangle^2} \,/\, \tau,

    the same for an image and its negative, and hardly changed where a grating
    moves within the patch. The noise :math:`\eta` of two neurons is correlated
    as far as their receptive fields overlap,

    .. math:: \operatorname{corr}(\eta_{iu}, \eta_{iv})
              = \rho \, \langle g_u, g_v \rangle, \qquad u \neq v :

    a share ρ of it is noise in the pixels, seen by all, the rest is private.

    Parameters
    ----------
    images : array-like of shape (n_samples, height, width)
        Brightness in any unit, 0 for dark.
    n_neurons : int, default=200
    peak_rate : float, default=40.0
        :math:`\lambda`, spikes a second at a drive of 1.
    window : float, default=0.2
        T, the time in seconds over which spikes are counted.
    noise : float, default=0.5
        :math:`\sigma`, in units of the drive's root mean square.
    correlation : float, default=0.3
        :math:`\rho`, from 0 to 1.
    cells : {"simple", "complex"}, default="simple"
        What neurons respond to: a patch, or the energy of one.
    random_state : int, RandomState instance or None, default=None
        Seed of all draws, made in the order receptive fields, noise, spikes:
        one seed gives one population, whatever the noise.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        counts : ndarray of shape (n_samples, n_neurons)
            Spikes, what an experimenter sees.
        drive : ndarray of shape (n_samples, n_neurons)
            :math:`s`, what they would see without any noise.
        rates : ndarray of shape (n_samples, n_neurons)
            :math:`\lambda_{iu}`, in spikes a second.
        receptive_fields : ndarray of shape (n_neurons, height, width)
            :math:`g_u`, of norm 1 and mean 0.
        noise_correlation : ndarray of shape (n_neurons, n_neurons)
            Correlation of :math:`\eta` between neurons.
        position : ndarray of shape (n_neurons, 2)
            Centre of each field, row and column, in pixels.
        orientation, wavelength, phase : ndarray of shape (n_neurons,)
            Of its grating: radians, pixels, radians.

    Raises
    ------
    ValueError
        If `images` are not three-dimensional and finite or all blank, or a
        number is out of its range.

    Notes
    -----
    Centres are uniform over the middle three quarters of the image in both
    directions, orientations and phases uniform, wavelengths log-uniform
    between a seventh and a half of the image's height; the envelope's
    standard deviation is 0.4 wavelengths. The parts are standard (Jones and
    Palmer 1987 for the fields, Cohen and Kohn 2011 for noise correlations
    that follow the similarity of tuning), their numbers are ours. It is no
    model of the recordings of any one area.

    Time O(n N h w) for N neurons.

    References
    ----------
    E. H. Adelson and J. R. Bergen 1985, Spatiotemporal energy models for the
    perception of motion, Journal of the Optical Society of America A 2(2),
    284–299.

    J. P. Jones and L. A. Palmer 1987, An evaluation of the two-dimensional
    Gabor filter model of simple receptive fields in cat striate cortex,
    Journal of Neurophysiology 58(6), 1233–1258.

    M. R. Cohen and A. Kohn 2011, Measuring and interpreting neuronal
    correlations, Nature Neuroscience 14(7), 811–819.

    Examples
    --------
    >>> from perfalign.datasets import load_mnist, make_population
    >>> images = load_mnist().images[::50] / 255
    >>> population = make_population(images, n_neurons=30, random_state=0)
    >>> population.counts.shape
    (200, 30)
    >>> population.receptive_fields.shape
    (30, 28, 28)
    """
    images = numbers(images, "images")
    if images.ndim != 3:
        raise ValueError(
            f"images have shape {images.shape}; (n_samples, height, width) "
            "is wanted."
        )
    validate_parameter_constraints(
        {
            "n_neurons": [Interval(Integral, 1, None, closed="left")],
            "peak_rate": [Interval(Real, 0, None, closed="left")],
            "window": [Interval(Real, 0, None, closed="left")],
            "noise": [Interval(Real, 0, None, closed="left")],
            "correlation": [Interval(Real, 0, 1, closed="both")],
            "cells": [StrOptions({"simple", "complex"})],
        },
        {
            "n_neurons": n_neurons,
            "peak_rate": peak_rate,
            "window": window,
            "noise": noise,
            "correlation": correlation,
            "cells": cells,
        },
        "make_population",
    )

    rng = check_random_state(random_state)
    tuning = _draw_tuning(rng, n_neurons, images.shape[1:])
    fields = _gabors(**tuning, shape=images.shape[1:])
    flat = fields.reshape(n_neurons, -1)
    pixels = images.reshape(len(images), -1)
    drive = pixels @ flat.T
    if cells == "complex":
        shifted = tuning | {"phase": tuning["phase"] + np.pi / 2}
        quadrature = _gabors(**shifted, shape=images.shape[1:])
        drive = np.hypot(drive, pixels @ quadrature.reshape(flat.shape).T)
    scale = np.sqrt(np.mean(drive**2))
    if scale == 0:
        raise ValueError("images are blank: they drive no neuron.")
    drive /= scale

    shared = rng.standard_normal((len(images), flat.shape[1])) @ flat.T
    private = rng.standard_normal(drive.shape)
    mixed = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * private
    rates = peak_rate * np.maximum(0, drive + noise * mixed)
    return Bunch(
        counts=rng.poisson(window * rates).astype(np.float64),
        drive=drive,
        rates=rates,
        receptive_fields=fields,
        noise_correlation=correlation * (flat @ flat.T)
        + (1 - correlation) * np.eye(n_neurons),
        **tuning,
    )


def _draw_tuning(
    rng: np.random.RandomState, n_neurons: int, shape: tuple[int, ...]
) -> dict[str, Array]:
    """What each neuron looks for, and where."""
    low, high = np.log([shape[0] / 7, shape[0] / 2])
    return {
        "position": rng.uniform(0.125, 0.875, (n_neurons, 2)) * shape,
        "orientation": rng.uniform(0, np.pi, n_neurons),
        "wavelength": np.exp(rng.uniform(low, high, n_neurons)),
        "phase": rng.uniform(0, 2 * np.pi, n_neurons),
    }


def _gabors(
    position: Array,
    orientation: Array,
    wavelength: Array,
    phase: Array,
    shape: tuple[int, ...],
) -> Array:
    """Gratings under a round Gaussian envelope, of mean 0 and norm 1."""
    rows, columns = np.indices(shape)
    y = rows - position[:, 0, None, None]
    x = columns - position[:, 1, None, None]
    orientation, wavelength, phase = (
        t[:, None, None] for t in (orientation, wavelength, phase)
    )
    across = x * np.cos(orientation) + y * np.sin(orientation)
    grating = np.cos(2 * np.pi * across / wavelength + phase)
    envelope = np.exp(-(x**2 + y**2) / (2 * (0.4 * wavelength) ** 2))
    # A brighter image alone does not drive such a neuron.
    fields: Array = envelope * grating
    weight = fields.sum((1, 2)) / envelope.sum((1, 2))
    fields -= weight[:, None, None] * envelope
    fields /= np.linalg.norm(fields, axis=(1, 2), keepdims=True)
    return fields
