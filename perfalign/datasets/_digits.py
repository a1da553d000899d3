"""Handwritten digits: halves of images, and six kinds of features."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from perfalign.datasets._files import read_arrays, read_description


def load_digit_halves() -> Bunch:
    """The left and the right half of handwritten digits.

    The 1 797 images of 8 × 8 pixels that come with scikit-learn, each cut
    down the middle. Two views of one concept that everyone can look at, and
    neither can be computed from the other.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of two ndarray of shape (1797, 32)
            Columns 0–3 and columns 4–7 of each image, row by row; ink from 0
            to 16.
        view_names : tuple of str
            ``("left half", "right half")``.
        target : ndarray of shape (1797,)
            The digit. About 180 of each: chance is 0.10.
        target_names : ndarray of shape (10,)
            The ten digits.
        images : ndarray of shape (1797, 8, 8)
            The whole images.
        DESCR : str
            Origin, licence and attribution.

    Notes
    -----
    Three pixels, two of the left half and one of the right, are 0 in every
    image, and others in nearly every one. Such pixels agree with anything:
    an alignment that is not kept from it chooses them first.

    Examples
    --------
    >>> from perfalign.datasets import load_digit_halves
    >>> digits = load_digit_halves()
    >>> [view.shape for view in digits.views]
    [(1797, 32), (1797, 32)]
    >>> print(digits.views[0][0].reshape(8, 4)[:3].astype(int))
    [[ 0  0  5 13]
     [ 0  0 13 15]
     [ 0  3 15  2]]
    """
    digits = load_digits()
    halves = np.split(digits.images, 2, axis=2)
    return Bunch(
        views=[half.reshape(len(half), -1) for half in halves],
        view_names=("left half", "right half"),
        target=digits.target,
        target_names=digits.target_names,
        images=digits.images,
        DESCR=read_description("Digit halves"),
    )


def load_mnist() -> Bunch:
    """The left and the right half of 10 000 MNIST digits.

    Larger than the digits of :func:`load_digit_halves`, 28 × 28 pixels, and
    so many that methods which need data have them.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of two ndarray of shape (10000, 392)
            Columns 0–13 and columns 14–27 of each image, row by row; ink
            from 0 to 1.
        view_names : tuple of str
            ``("left half", "right half")``.
        target : ndarray of shape (10000,)
            The digit, sorted: 863 to 1 127 of each. Chance is 0.11.
        target_names : ndarray of shape (10,)
            The ten digits.
        images : ndarray of uint8 of shape (10000, 28, 28)
            The whole images, ink from 0 to 255.
        DESCR : str
            Origin, licence and attribution.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner 1998, Gradient-based
    learning applied to document recognition, Proceedings of the IEEE 86(11),
    2278–2324.

    Examples
    --------
    >>> from perfalign.datasets import load_mnist
    >>> mnist = load_mnist()
    >>> [view.shape for view in mnist.views]
    [(10000, 392), (10000, 392)]
    """
    arrays = read_arrays("mnist10k")
    images = arrays["X"]
    halves = np.split(images / 255, 2, axis=2)
    return Bunch(
        views=[half.reshape(len(half), -1) for half in halves],
        view_names=("left half", "right half"),
        target=arrays["y"].astype(int),
        target_names=np.arange(10),
        images=images,
        DESCR=read_description("MNIST"),
    )


def load_mfeat() -> Bunch:
    """Six descriptions of the same 2 000 handwritten digits.

    The Multiple Features data of the UCI repository. Digits 0–9 were cut out
    of Dutch utility maps and described in six ways; the images themselves
    are lost.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of six ndarray of shape (2000, d_m)
            In the order of `view_names`.
        view_names : tuple of str
            ``"fou"`` (76 Fourier coefficients of the shape, which do not see
            a rotation), ``"fac"`` (216 profile correlations), ``"kar"`` (64
            Karhunen-Loève coefficients), ``"pix"`` (240 pixel averages, 16
            rows of 15, from 0 to 6), ``"zer"`` (47 Zernike moments) and
            ``"mor"`` (6 morphological features). Their units differ.
        target : ndarray of shape (2000,)
            The digit; 200 of each, sorted. Chance is 0.10.
        target_names : ndarray of shape (10,)
            The ten digits.
        DESCR : str
            Origin, licence and attribution.

    References
    ----------
    M. van Breukelen, R. P. W. Duin, D. M. J. Tax and J. E. den Hartog 1998,
    Handwritten digit recognition by combined classifiers, Kybernetika 34(4),
    381–386.

    Examples
    --------
    >>> from perfalign.datasets import load_mfeat
    >>> data = load_mfeat()
    >>> for name, view in zip(data.view_names, data.views):
    ...     print(name, view.shape[1])
    fou 76
    fac 216
    kar 64
    pix 240
    zer 47
    mor 6
    """
    arrays = read_arrays("mfeat")
    names = ("fou", "fac", "kar", "pix", "zer", "mor")
    return Bunch(
        views=[arrays[name].astype(np.float64) for name in names],
        view_names=names,
        target=arrays["y"].astype(int),
        target_names=np.arange(10),
        DESCR=read_description("Multiple Features"),
    )
