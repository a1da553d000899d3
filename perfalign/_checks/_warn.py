"""Warnings that name the line of whoever called the package."""

import inspect
import warnings


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something in the code that called the package."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and _is_ours(frame.f_globals):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(names: dict[str, object]) -> bool:
    return str(names.get("__name__")).partition(".")[0] == "perfalign"
