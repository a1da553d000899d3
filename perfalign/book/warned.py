"""What the package warns of, as text of the page."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill


@contextmanager
def warned(width: int = 72) -> Iterator[None]:
    """Print, at the end of a block, what was warned of in it.

    Parameters
    ----------
    width : int, default=72
        Of a line.

    Examples
    --------
    >>> import warnings
    >>> from perfalign.book.warned import warned
    >>> with warned():
    ...     warnings.warn("too few pairs")
    UserWarning: too few pairs
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        print(fill(f"{warning.category.__name__}: {warning.message}", width))
