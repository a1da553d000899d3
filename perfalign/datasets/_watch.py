"""A smartwatch that feels shoulder exercises in two ways."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_array

from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.datasets._files import read_arrays, read_description

SAMPLING_RATE = 25.0
BAND_EDGES = (0.0, 0.75, 1.5, 3.0, 6.0, np.inf)


def load_watch() -> Bunch:
    """Accelerometer and gyroscope of a watch during shoulder exercises.

    Ten people did seven exercises with either arm. The 140 recordings are
    cut into 1 149 windows of 4 s.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of two ndarray of shape (1149, 300)
            The raw windows of each sensor, time step by time step. They do
            not transfer: where in its cycle a movement is cut is arbitrary.
            See :func:`window_features`.
        view_names : tuple of str
            ``("accelerometer", "gyroscope")``.
        windows : ndarray of shape (1149, 100, 6)
            Samples × time steps × channels.
        channels : ndarray of str of shape (6,)
            ``ax ay az`` in units of the earth's gravity (at rest their norm
            is 1), ``wx wy wz`` in radians a second. The package they come
            from does not state the units; these fit their size.
        sampling_rate : float
            25, in hertz.
        target : ndarray of shape (1149,)
            The exercise; chance is 0.17.
        target_names : ndarray of str of shape (7,)
            As in the source: PEN pendulum, ABD abduction, FEL forward
            elevation, IR internal rotation, ER external rotation, TRAP
            trapezius extension, ROW upright row.
        subject : ndarray of shape (1149,)
            The person, 1 to 10. Split by it, with scikit-learn's
            ``GroupShuffleSplit``: windows of one person look alike.
        side : ndarray of shape (1149,)
            1 for the right wrist, 0 for the left.
        record : ndarray of shape (1149,)
            The recording, 0 to 139; windows of one are in order of time.
        DESCR : str
            Origin, changes, licence and attribution.

    References
    ----------
    D. M. Burns et al. 2018, Shoulder physiotherapy exercise recognition:
    machine learning the inertial signals from a smartwatch, Physiological
    Measurement 39, 075007.

    Examples
    --------
    >>> from perfalign.datasets import load_watch, window_features
    >>> watch = load_watch()
    >>> watch.windows.shape
    (1149, 100, 6)
    >>> views = [
    ...     window_features(watch.windows[:, :, :3]),
    ...     window_features(watch.windows[:, :, 3:]),
    ... ]
    >>> [view.shape for view in views]
    [(1149, 63), (1149, 63)]
    """
    arrays = read_arrays("watch_imu")
    windows = arrays["X"].astype(np.float64)
    sensors = np.split(windows, 2, axis=2)
    return Bunch(
        views=[sensor.reshape(len(sensor), -1) for sensor in sensors],
        view_names=("accelerometer", "gyroscope"),
        windows=windows,
        channels=arrays["channels"],
        sampling_rate=SAMPLING_RATE,
        target=arrays["y"].astype(int),
        target_names=arrays["y_names"],
        subject=arrays["subject"].astype(int),
        side=arrays["side"].astype(int),
        record=arrays["record"].astype(int),
        DESCR=read_description("Smartwatch"),
    )


@one_blas_thread
def window_features(
    windows: ArrayLike, sampling_rate: float = SAMPLING_RATE
) -> Array:
    """Describe each window in a way that forgets when it was cut.

    Of every channel come twenty features, in this order (each for all
    channels before the next): mean, standard deviation, minimum, maximum,
    lower quartile, median, upper quartile, mean square, skewness, kurtosis,
    mean absolute slope (a second), crossings of the mean (a second); from
    the power spectrum without its constant: strongest frequency, mean
    frequency (both in hertz), entropy, and the share of the power below
    0.75 Hz, from there to 1.5, to 3, to 6 Hz, and above. Then the
    correlation of each pair of channels.

    Parameters
    ----------
    windows : array-like of shape (n_windows, n_steps, n_channels)
        Equally spaced samples; at least two steps a window.
    sampling_rate : float, default=25.0
        Time steps a second.

    Returns
    -------
    features : ndarray of shape (n_windows, 20 c + c (c − 1) / 2)
        With c channels: 63 features of three. A constant channel has
        skewness, kurtosis, spectrum and correlations 0.

    Raises
    ------
    ValueError
        If `windows` is not a finite array of three dimensions with two steps
        or more, or the rate is not above 0.

    Notes
    -----
    The usual features of inertial sensors (Burns et al. 2018 use such), our
    selection. Time O(n T log T) a channel.

    Examples
    --------
    A sine of 2 Hz, and a constant:

    >>> import numpy as np
    >>> from perfalign.datasets import window_features
    >>> t = np.arange(100) / 25
    >>> window = np.stack([np.sin(4 * np.pi * t), np.ones(100)], axis=1)
    >>> features = window_features(window[np.newaxis])
    >>> features.shape
    (1, 41)
    >>> for name, number in [("standard deviation", 1), ("frequency", 12)]:
    ...     print(name, features[0, 2 * number : 2 * number + 2].round(3))
    standard deviation [0.707 0.   ]
    frequency [2. 0.]
    """
    windows = check_array(
        windows, dtype=np.float64, allow_nd=True, input_name="windows"
    )
    if windows.ndim != 3 or windows.shape[1] < 2 or windows.shape[2] < 1:
        raise ValueError(
            f"windows have shape {windows.shape}; wanted windows × steps × "
            "channels with two steps or more."
        )
    if not sampling_rate > 0:
        raise ValueError(
            f"sampling_rate must be above 0; seen {sampling_rate!r}."
        )
    centred = windows - windows.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.mean(centred**2, axis=1))
    # The mean of equal numbers can be a rounding error off.
    constant = np.ptp(windows, axis=1) == 0
    deviation[constant] = 0
    scaled = _shares(centred, deviation[:, np.newaxis])
    slopes = np.abs(np.diff(windows, axis=1)) * sampling_rate
    crossings = np.diff(scaled > 0, axis=1) * sampling_rate

    power = np.abs(np.fft.rfft(scaled, axis=1)[:, 1:]) ** 2
    power = _shares(power, power.sum(axis=1, keepdims=True))
    frequency = np.fft.rfftfreq(windows.shape[1], 1 / sampling_rate)[1:]
    strongest = np.where(constant, 0, frequency[np.argmax(power, axis=1)])
    entropy = -np.sum(power * np.log(np.where(power > 0, power, 1)), axis=1)
    bands = [
        power[:, (low <= frequency) & (frequency < high)].sum(axis=1)
        for low, high in zip(BAND_EDGES, BAND_EDGES[1:])
    ]

    first, second = np.triu_indices(windows.shape[2], k=1)
    return np.hstack(
        [
            windows.mean(axis=1),
            deviation,
            windows.min(axis=1),
            windows.max(axis=1),
            *np.quantile(windows, [0.25, 0.5, 0.75], axis=1),
            np.mean(windows**2, axis=1),
            np.mean(scaled**3, axis=1),
            np.mean(scaled**4, axis=1),
            slopes.mean(axis=1),
            crossings.mean(axis=1),
            strongest,
            np.einsum("ntc,t->nc", power, frequency),
            entropy,
            *bands,
            np.mean(scaled[:, :, first] * scaled[:, :, second], axis=1),
        ]
    )


def _shares(parts: Array, whole: Array) -> Array:
    """Parts over whole, and 0 where the whole is 0."""
    return np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0)
