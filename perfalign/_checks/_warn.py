"""Warnings that name the line of whoever called the package."""

import inspect
import warnings

#: What may stand between that line and the warning.
OURS = ("perfalign", "contextlib")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something in the code that called the package."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and _package_of(frame.f_globals) in OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package_of(names: dict[str, object]) -> str:
    return str(names.get("__name__")).partition(".")[0]
