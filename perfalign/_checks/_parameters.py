"""What every entrance of the package asks of its parameters."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import make_constraint


def check_parameters(estimator: Any) -> dict[str, Any]:
    """Return an estimator's parameters, which are what its class allows.

    Its ``_parameter_constraints`` are those of scikit-learn; but True is no
    number, and messages say what was seen first.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    params : dict of str to object
        By name; ``get_params`` would read the class's signature each time.

    Raises
    ------
    ValueError
        Names the parameter, what was seen and what was wanted.
    """
    params = {}
    for name, constraints, flag, default in _constraints(estimator.__class__):
        params[name] = value = getattr(estimator, name)
        if value is default:
            continue
        no_number = isinstance(value, bool) and not flag
        if no_number or not any(c.is_satisfied_by(value) for c in constraints):
            wanted = " or ".join(map(str, constraints))
            raise ValueError(f"{name} is {value!r}; wanted {wanted}.")
    return params


@cache
def _constraints(estimator: Any) -> list[tuple[str, list[Any], bool, Any]]:
    """A class's parameters, what they must be, whether True will do, and what
    they are if nobody says otherwise."""
    given = signature(estimator).parameters
    return [
        (
            name,
            list(map(make_constraint, allowed)),
            "boolean" in allowed,
            given[name].default,
        )
        for name, allowed in estimator._parameter_constraints.items()
    ]


def check_own_parameters(
    estimator: Any, params: Mapping[str, Any], fitted: Collection[str]
) -> None:
    """Raise if parameters are those of a part that is fitted and shared.

    Parameters
    ----------
    estimator : object
    params : dict of str to object
        As ``set_params`` takes them.
    fitted : set of str
        The estimator's parts that its clones have in common.

    Raises
    ------
    ValueError
    """
    for name in params:
        part, _, parameter = name.partition("__")
        if parameter and part in fitted:
            raise ValueError(
                f"{name}: the {part} of a {type(estimator).__name__} is "
                "fitted already and shared by its clones; it would not be "
                f"fitted again. Set {parameter} before its fit."
            )


def check_integer(
    value: object,
    name: str,
    least: int = 1,
    most: int | None = None,
    what: str = "",
) -> int:
    """Return an integer that lies within bounds; True is none.

    Parameters
    ----------
    value : object
    name : str
        How error messages call it.
    least, most : int
        Bounds; no upper one if None.
    what : str, default=""
        What the bounds are, for the message.

    Returns
    -------
    value : int

    Raises
    ------
    ValueError
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        whole = int(value)
        if least <= whole and (most is None or whole <= most):
            return whole
    bounds = (
        f"of at least {least}" if most is None else f"from {least} to {most}"
    )
    raise ValueError(f"{name} is {value!r}; wanted an integer {bounds}{what}.")


def check_number(
    value: object, name: str, above: float, below: float = np.inf
) -> float:
    """Return a real number between bounds that it must not reach.

    Parameters
    ----------
    value : object
    name : str
        How error messages call it.
    above, below : float

    Returns
    -------
    value : float

    Raises
    ------
    ValueError
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        real = float(value)
        if above < real < below:
            return real
    finite = "finite " * (below == np.inf)
    bound = "" if below == np.inf else f" and below {below}"
    raise ValueError(
        f"{name} is {value!r}; wanted a {finite}number above {above}{bound}."
    )


def check_estimator(
    estimator: object,
    name: str,
    methods: Sequence[str] = ("fit", "transform"),
) -> None:
    """Raise unless an object has the methods that it will be asked for.

    Parameters
    ----------
    estimator : object
    name : str
        How error messages call it.
    methods : sequence of str

    Raises
    ------
    ValueError
        Also for a class, which has methods and cannot be asked.
    """
    if isinstance(estimator, type):
        raise ValueError(
            f"{name} is the class {estimator.__name__}; wanted an estimator, "
            f"as {estimator.__name__}() gives one."
        )
    missing = [method for method in methods if not hasattr(estimator, method)]
    if missing:
        raise ValueError(
            f"{name} is {_brief(estimator)}, which has no "
            f"{' and no '.join(missing)}; wanted an estimator with "
            f"{' and '.join(methods)}."
        )


def _brief(value: object) -> str:
    """A value in one line of a message."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 80 else f"a {type(value).__name__}"
