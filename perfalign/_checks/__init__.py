"""What every entrance of the package asks of what comes in."""

from perfalign._checks._labels import check_labels
from perfalign._checks._names import (
    SHOWN,
    Signature,
    as_list,
    check_names,
    check_row_labels,
    column_names,
    is_frame,
    labelled,
    quoted,
    without_row_labels,
)
from perfalign._checks._parameters import (
    check_estimator,
    check_integer,
    check_number,
    check_own_parameters,
    check_parameters,
)
from perfalign._checks._views import (
    FLOAT64_EPS,
    at_hand,
    check_hidden,
    check_paired,
    check_view,
    check_views,
    in_double,
    latent_dtype,
    n_rows,
    named,
    precision,
    slabs,
    view_slabs,
)
from perfalign._checks._warn import warn
from perfalign._checks._weights import check_weights

__all__ = [
    "FLOAT64_EPS",
    "SHOWN",
    "Signature",
    "as_list",
    "at_hand",
    "check_estimator",
    "check_hidden",
    "check_integer",
    "check_labels",
    "check_names",
    "check_number",
    "check_own_parameters",
    "check_paired",
    "check_parameters",
    "check_row_labels",
    "check_view",
    "check_views",
    "check_weights",
    "column_names",
    "in_double",
    "is_frame",
    "labelled",
    "latent_dtype",
    "n_rows",
    "named",
    "precision",
    "quoted",
    "slabs",
    "view_slabs",
    "without_row_labels",
    "warn",
]
