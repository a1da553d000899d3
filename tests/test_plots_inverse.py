import numpy as np
from numpy.testing import assert_allclose

from perfalign.book import plots


def test_stack_plane_points_across_the_columns():
    marks = np.arange(1.0, 9.0)
    exact = np.vstack([2.0 * marks, -marks])
    rng = np.random.default_rng(0)
    worn = exact + rng.normal(scale=0.5, size=exact.shape)
    fig = plots.stack_plane(
        {"new": exact, "worn": worn}, xlabel="first", ylabel="second"
    )
    labels = []
    for ax, X in zip(fig.axes, (exact, worn)):
        arrow = next(text for text in ax.texts if text.arrow_patch)
        encoder = np.divide(arrow.xy, np.hypot(*arrow.xy))
        other = [encoder[1], -encoder[0]]
        # Across the columns they lie closest to the origin, along farthest.
        eigenvalues = np.linalg.eigvalsh(X @ X.T)
        assert_allclose(np.sum((encoder @ X) ** 2), eigenvalues[0], atol=1e-9)
        assert_allclose(np.sum((other @ X) ** 2), eigenvalues[1])
        distance = np.sqrt(np.mean((encoder @ X) ** 2))
        labels.append(f"= {distance:.2f}")
        assert any(text.get_text().endswith(labels[-1]) for text in ax.texts)
    assert labels[0] != labels[1]
