import numpy as np
from numpy.testing import assert_allclose

from perfalign.book import plots

VALUES = np.array([1, 1e-4, 1e-11])


def test_what_is_lost_ends_where_it_was_stored():
    figure = plots.ladders(
        VALUES, {"gram": (2, [1, 1.01e-4, 3e-9]), "triangle": (1, VALUES)}
    )
    assert figure._repr_png_().startswith(b"\x89PNG")
    gram, triangle = figure.axes
    ways = [line.get_ydata() for line in gram.lines]
    assert_allclose(ways[0], [1, 1, 1])
    assert_allclose(ways[1], [1e-4, 1e-8, 1e-4])
    assert_allclose(ways[2], [1e-11, 1e-22])
    assert gram.lines[3].get_marker() == "x"
    assert_allclose(gram.lines[3].get_xydata(), [[1, 1e-22]])
    assert len(triangle.lines) == 3
    for line, value in zip(triangle.lines, VALUES):
        assert_allclose(line.get_ydata(), value)
    # The lost one, and no other, lies in the band.
    (band,) = gram.patches
    top = band.get_extents().transformed(gram.transData.inverted()).y1
    assert 1e-22 < top < 1e-8
