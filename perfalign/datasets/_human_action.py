"""People who move before a camera, with a sensor strapped on."""

import re
import warnings
from numbers import Integral
from os import PathLike
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from sklearn.utils import Bunch

from perfalign._types import Array
from perfalign.datasets._files import read_description

ACTIONS = (
    "swipe to the left",
    "swipe to the right",
    "wave",
    "clap",
    "throw",
    "cross the arms",
    "shoot a basketball",
    "draw an x",
    "draw a circle clockwise",
    "draw a circle counterclockwise",
    "draw a triangle",
    "bowl",
    "box",
    "swing a baseball bat",
    "swing a tennis racket",
    "curl the arms",
    "serve at tennis",
    "push",
    "knock on a door",
    "catch",
    "pick up and throw",
    "jog in place",
    "walk in place",
    "stand up",
    "sit down",
    "lunge",
    "squat",
)
N_SUBJECTS = 8
N_JOINTS = 20
HIP_CENTRE = 3
#: The variable in a file of each kind, and its shape but for the time.
KINDS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "skeleton": ("d_skel", (N_JOINTS, 3, None)),
    "inertial": ("d_iner", (None, 6)),
}
NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_(skeleton|inertial)\.mat")


def load_utd_mhad(folder: str | PathLike[str], *, n_steps: int = 25) -> Bunch:
    """Skeleton and inertial sensor of 27 actions, from your copy of UTD-MHAD.

    Eight people do 27 actions four times each. A depth camera follows twenty
    joints at 30 Hz; a sensor on the right wrist or thigh feels acceleration
    and rotation at 50 Hz. The files are not part of the package: they are at
    <https://personal.utdallas.edu/~kehtar/UTD-MHAD.html>, the two archives
    named *Skeleton* and *Inertial*.

    Parameters
    ----------
    folder : str or path
        Where the archives were unpacked. Files such as
        ``a1_s1_t1_inertial.mat`` and ``a1_s1_t1_skeleton.mat`` are found in
        it, and in folders inside.
    n_steps : int, default=25
        Every recording is brought to so many steps, however long it took.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of ndarray of shape (n, 60 n_steps) and (n, 6 n_steps)
            The recordings, step by step, at equally spaced moments from the
            first to the last, interpolated linearly. Joints are seen from
            where the centre of the hips was in the first frame.
        view_names : tuple of str
            ``("skeleton", "inertial")``.
        skeleton : list of n ndarray of shape (n_frames, 20, 3)
            The joints as recorded, frame by frame.
        inertial : list of n ndarray of shape (n_samples, 6)
            Three axes of acceleration, then three of rotation, as recorded.
        target : ndarray of shape (n,)
            The action, as an index into `target_names`.
        target_names : ndarray of str of shape (27,)
            The actions, in the order of the source's numbers 1 to 27.
        subject : ndarray of shape (n,)
            The person, 1 to 8.
        trial : ndarray of shape (n,)
            Which of a person's repetitions of an action, from 1.
        train, test : ndarray of int
            The usual split: rows of people with odd and with even numbers.
        left_out : tuple of str
            Recordings of which one file of the two is missing.
        DESCR : str
            Origin, changes and terms.

    Raises
    ------
    ValueError
        If the folder is none or holds no pair of files, a file is there
        twice, cannot be read, lacks its variable, has another shape, fewer
        than two moments or a value that is not finite, its name has an action
        above 27 or a person above 8, or `n_steps` is below 2.

    Warns
    -----
    UserWarning
        If recordings are left out, and which.

    References
    ----------
    C. Chen, R. Jafari and N. Kehtarnavaz 2015, UTD-MHAD: a multimodal dataset
    for human action recognition utilizing a depth camera and a wearable
    inertial sensor, ICIP.

    Examples
    --------
    Two recordings in the form of the source, of noise:

    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from perfalign.datasets import load_utd_mhad
    >>> from scipy.io import savemat
    >>> rng = np.random.default_rng(0)
    >>> with TemporaryDirectory() as folder:
    ...     for name in ["a1_s1_t1", "a27_s8_t4"]:
    ...         joints, sensor = rng.random((20, 3, 55)), rng.random((160, 6))
    ...         path = f"{folder}/{name}"
    ...         savemat(f"{path}_skeleton.mat", {"d_skel": joints})
    ...         savemat(f"{path}_inertial.mat", {"d_iner": sensor})
    ...     actions = load_utd_mhad(folder)
    >>> [view.shape for view in actions.views]
    [(2, 1500), (2, 150)]
    >>> for row in range(2):
    ...     name = actions.target_names[actions.target[row]]
    ...     print(actions.subject[row], actions.trial[row], name)
    1 1 swipe to the left
    8 4 squat
    """
    if not isinstance(n_steps, Integral) or n_steps < 2:
        raise ValueError(
            f"n_steps is {n_steps!r}; wanted a whole number of 2 or more."
        )
    files = _files(Path(folder))
    found = sorted(set().union(*files.values()))
    complete = [
        item for item in found if all(item in f for f in files.values())
    ]
    if not complete:
        raise ValueError(
            f"{str(folder)!r} holds {len(files['skeleton'])} files named as "
            f"a1_s1_t1_skeleton.mat, {len(files['inertial'])} as "
            "a1_s1_t1_inertial.mat, and no pair of them; wanted the unpacked "
            "archives of UTD-MHAD."
        )
    left_out = tuple(
        "a{}_s{}_t{}".format(*item) for item in found if item not in complete
    )
    if left_out:
        warnings.warn(
            f"{len(left_out)} of {len(found)} recordings are left out, as one "
            f"of their two files is missing: {', '.join(left_out)}.",
            stacklevel=2,
        )
    skeleton = [
        _read(files["skeleton"][item], "skeleton").transpose(2, 0, 1)
        for item in complete
    ]
    inertial = [
        _read(files["inertial"][item], "inertial") for item in complete
    ]
    action, subject, trial = np.array(complete).T
    return Bunch(
        views=[
            np.stack(
                [_resampled(x - x[0, HIP_CENTRE], n_steps) for x in skeleton]
            ),
            np.stack([_resampled(x, n_steps) for x in inertial]),
        ],
        view_names=tuple(KINDS),
        skeleton=skeleton,
        inertial=inertial,
        target=action - 1,
        target_names=np.array(ACTIONS),
        subject=subject,
        trial=trial,
        train=np.flatnonzero(subject % 2),
        test=np.flatnonzero(subject % 2 == 0),
        left_out=left_out,
        DESCR=read_description("Human actions"),
    )


def _files(folder: Path) -> dict[str, dict[tuple[int, int, int], Path]]:
    """Paths of each kind, by action, person and trial."""
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is no folder.")
    files: dict[str, dict[tuple[int, int, int], Path]] = {k: {} for k in KINDS}
    for path in sorted(folder.rglob("*.mat")):
        match = NAME.fullmatch(path.name)
        if match is None:
            continue
        action, subject, trial = (int(match[i]) for i in (1, 2, 3))
        if not (1 <= action <= len(ACTIONS) and 1 <= subject <= N_SUBJECTS):
            raise ValueError(
                f"{path.name} is of action {action} and person {subject}; "
                f"wanted 1 to {len(ACTIONS)} and 1 to {N_SUBJECTS}."
            )
        of_kind = files[match[4]]
        if (action, subject, trial) in of_kind:
            raise ValueError(
                f"{path.name} is there twice: {path} and "
                f"{of_kind[action, subject, trial]}."
            )
        of_kind[action, subject, trial] = path
    return files


def _read(path: Path, kind: str) -> Array:
    """The recording in a file, if it is as it should be."""
    name, wanted = KINDS[kind]
    try:
        values = np.asarray(loadmat(path)[name], dtype=np.float64)
    except KeyError:
        raise ValueError(f"{path} holds no variable {name}.") from None
    except Exception as error:  # SciPy raises whatever it stumbles over.
        raise ValueError(f"{path} cannot be read: {error}") from error
    right = values.ndim == len(wanted) and all(
        seen >= 2 if side is None else seen == side
        for seen, side in zip(values.shape, wanted)
    )
    if not right:
        raise ValueError(
            f"{path}: {name} has shape {values.shape}; wanted "
            f"{str(wanted).replace('None', 'T')} with T of 2 or more."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: {name} holds values that are not finite.")
    return values


def _resampled(recording: Array, n_steps: int) -> Array:
    """Equally spaced moments, one after the other in a row."""
    channels = recording.reshape(len(recording), -1).T
    moments = np.linspace(0, len(recording) - 1, n_steps)
    steps = np.arange(len(recording))
    return np.stack(
        [np.interp(moments, steps, c) for c in channels], 1
    ).ravel()
