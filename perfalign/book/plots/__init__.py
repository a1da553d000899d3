"""The figures of the book: functions that take data and return a figure.

A figure is a `matplotlib.figure.Figure` that shows itself at the end of a
notebook cell. The first view is blue, the second orange, the third green;
what belongs to no single view is purple; grey does not matter.
"""

from perfalign.book.plots.algebra import null_space, spectrum
from perfalign.book.plots.bridges import (
    against,
    cost_maps,
    glued,
    moved,
    rivals,
    transported,
)
from perfalign.book.plots.choices import choices
from perfalign.book.plots.comparison import confusion, dots
from perfalign.book.plots.concepts import modes, walk
from perfalign.book.plots.counts import counts
from perfalign.book.plots.coupling import coupling_matrices, displaced
from perfalign.book.plots.crossings import crossings
from perfalign.book.plots.dimensions import dimensions
from perfalign.book.plots.directions import thinnest_direction
from perfalign.book.plots.draws import draws
from perfalign.book.plots.evidence import acceptances, phase_diagram, scree
from perfalign.book.plots.flows import null_histogram, trajectories
from perfalign.book.plots.gallery import gallery
from perfalign.book.plots.gauge import over_truth
from perfalign.book.plots.group import group
from perfalign.book.plots.halves import completed, looks
from perfalign.book.plots.images import images
from perfalign.book.plots.inverse import stack_plane
from perfalign.book.plots.ladders import ladders
from perfalign.book.plots.latent import gaussians, latent_space, view_clouds
from perfalign.book.plots.lead import lead
from perfalign.book.plots.maps import maps
from perfalign.book.plots.meters import meters
from perfalign.book.plots.no_pairs import answers, valleys, worlds
from perfalign.book.plots.over_time import over_time
from perfalign.book.plots.pairings import pairings
from perfalign.book.plots.pairs import pairs
from perfalign.book.plots.partners import partners
from perfalign.book.plots.places import places
from perfalign.book.plots.results import bars, sweep
from perfalign.book.plots.row_spaces import row_spaces
from perfalign.book.plots.scale import (
    accuracy_against_time,
    cost_of_width,
    descent_beside,
    merge_tree,
    rounding_errors,
    times_beside,
)
from perfalign.book.plots.schematics import generation, pipeline
from perfalign.book.plots.singles import skies, turning_point
from perfalign.book.plots.temperature import over_temperature
from perfalign.book.plots.trends import trends
from perfalign.book.plots.widths import measures

__all__ = [
    "dimensions",
    "acceptances",
    "accuracy_against_time",
    "against",
    "answers",
    "bars",
    "choices",
    "completed",
    "confusion",
    "cost_maps",
    "cost_of_width",
    "coupling_matrices",
    "counts",
    "crossings",
    "descent_beside",
    "displaced",
    "dots",
    "draws",
    "gallery",
    "gaussians",
    "generation",
    "glued",
    "group",
    "images",
    "ladders",
    "latent_space",
    "lead",
    "looks",
    "maps",
    "measures",
    "merge_tree",
    "meters",
    "modes",
    "moved",
    "null_histogram",
    "null_space",
    "over_temperature",
    "over_time",
    "over_truth",
    "pairings",
    "pairs",
    "partners",
    "phase_diagram",
    "pipeline",
    "places",
    "rivals",
    "rounding_errors",
    "row_spaces",
    "scree",
    "skies",
    "spectrum",
    "stack_plane",
    "sweep",
    "thinnest_direction",
    "times_beside",
    "trajectories",
    "transported",
    "trends",
    "turning_point",
    "valleys",
    "view_clouds",
    "walk",
    "worlds",
]
