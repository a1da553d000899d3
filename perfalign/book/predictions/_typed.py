"""A number as a reader types it: 0,5 and 1/50 and 2 % and −3.

``_static/verdict.js`` reads the same in the page; a test compares them.
"""

import re
from math import isfinite

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_TYPED = re.compile(
    rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?\s*([%°]?)", re.IGNORECASE | re.ASCII
)


def typed(text: str, label: str, unit: str = "") -> str:
    """The number, as it stands where it is one.

    A quotient is divided; per cent are a share, unless they are the unit.

    Raises
    ------
    ValueError
        If there is nothing, or no number.
    """
    written = text.strip().replace("−", "-").replace(",", ".")
    if not written:
        raise ValueError(f"A number is missing: {label}.")
    found = _TYPED.fullmatch(written)
    if not found:
        raise ValueError(f"Not a number: {text.strip()}")
    number, divisor, sign = found.groups()
    percent = sign == "%" and unit != "%"
    below = float(divisor or 1) * (100 if percent else 1)
    value = float(number) / below if below else float("inf")
    if not isfinite(value):
        raise ValueError(f"Not a number: {text.strip()}")
    return f"{value:.6g}" if divisor or percent else number
