"""Where what a cell shows is alive: with a kernel, and widgets to see it."""

import sys
from typing import Any

from IPython import get_ipython


def bundled(shown: Any, bundle: dict[str, str]) -> dict[str, str]:
    """A MIME bundle, with the view of a widget where that can be seen.

    Parameters
    ----------
    shown : object
        Its ``widget`` is asked for only where it can be seen.
    bundle : dict
        What is to be seen elsewhere.

    Returns
    -------
    bundle : dict
    """
    # Front ends that know widgets prefer them to HTML. Colab says so, too,
    # and shows nothing in their place.
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or "google.colab" in sys.modules:
        return bundle
    view: dict[str, str] = shown.widget._repr_mimebundle_()
    return bundle | view | {"text/plain": bundle["text/plain"]}
