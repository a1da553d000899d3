"""Labels of one view, used in another (chapter 6)."""

from perfalign.transfer._transfer import GaussianTransfer

__all__ = [
    "GaussianTransfer",
]
