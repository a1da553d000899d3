"""Questions that a reader answers before the page shows what is so."""

from perfalign.book.predictions._prediction import (
    Prediction,
    predict,
    predictions,
)

__all__ = ["Prediction", "predict", "predictions"]
