import numpy as np

from msanet_bench.report.document import Progress, Tried
from msanet_bench.report.figures.progress import draw_progress

TRIALS = (Tried(0, 80.0), Tried(1, None), Tried(2, 85.0), Tried(3, 82.0), Tried(4, 90.0), Tried(5, None))


def test_the_best_so_far_climbs_with_each_better_trial_and_stays_to_the_end() -> None:
    (axes,) = draw_progress(Progress("progress", "alt", "%", TRIALS)).axes
    best, complete, others = axes.lines
    np.testing.assert_array_equal(best.get_xydata(), [[0, 80], [2, 85], [3, 85], [4, 90], [5, 90]])
    np.testing.assert_array_equal(complete.get_xydata(), [[0, 80], [2, 85], [3, 82], [4, 90]])
    assert list(np.asarray(others.get_xdata())) == [1, 5]
    assert max(np.asarray(others.get_ydata())) < 80  # below all that have a result


def test_only_what_occurs_is_explained() -> None:
    (axes,) = draw_progress(Progress("progress", "alt", "%", (Tried(0, 80.0),))).axes
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["best so far", "a complete trial"]
