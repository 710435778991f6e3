"""The report of a single network, word for word, and its figures read back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from drawn import texts
from msanet_bench.report.build import report_files
from msanet_bench.report.figures import draw, figure_svg
from msanet_bench.report.figures.confusion import MOST_NAMES, MOST_NUMBERS
from msanet_bench.report.figures.style import BLUE, VERMILLION
from msanet_bench.report.graphics import Confusion, Picture, Pictures, Reliability
from msanet_bench.report.network import NetworkFindings, network_report

GOLDEN = Path(__file__).parent / "data" / "network_report"

# Eight images of three classes. Named: 0 0 0 1 | 1 1 | 2 0; right: 3 of 4, 2 of 2, 1 of 2.
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PROBABILITIES = np.array(
    [
        [0.90, 0.05, 0.05],
        [0.80, 0.10, 0.10],
        [0.70, 0.20, 0.10],
        [0.20, 0.75, 0.05],
        [0.04, 0.95, 0.01],
        [0.25, 0.65, 0.10],
        [0.05, 0.05, 0.90],
        [0.55, 0.05, 0.40],
    ]
)
HEAT = np.array([[0.0, 1.0], [2.0, 4.0]])
PICTURES = Pictures(
    "attention", "Where it looks", ("class a",), ("image", "map"), ((None, Picture(HEAT, "heat")),)
)
FINDINGS = NetworkFindings(
    name="planted: baseline seed 0",
    settings=("Data: `fake`, 8 test images.",),
    notes=("network.pt: was trained by other_code.",),
    classes=("a", "b|c", "d"),
    measures={"accuracy": 6 / 8, "balanced_accuracy": (3 / 4 + 1 + 1 / 2) / 3, "loss": 0.4321},
    probabilities=PROBABILITIES,
    labels=LABELS,
    attention=PICTURES,
    fields=None,
)


def test_the_report_reads_so(check_golden: Callable[[Path, Mapping[str, str]], None]) -> None:
    files = report_files(network_report(FINDINGS))
    check_golden(GOLDEN, {name: text for name, text in files.items() if not name.endswith(".svg")})
    assert [name for name in files if name.endswith(".svg")] == [
        f"figures/{name}.svg" for name in ("confusion", "reliability", "attention")
    ]


def test_its_numbers_are_those_worked_out_by_hand() -> None:
    numbers = json.loads(network_report(FINDINGS).numbers)
    assert numbers["confusion"] == [[3, 1, 0], [0, 2, 0], [1, 0, 1]]
    first, second, third = numbers["classes"]
    assert (first["precision"], first["recall"]) == (3 / 4, 3 / 4)
    assert (second["precision"], second["recall"]) == (2 / 3, 1.0)
    assert (third["precision"], third["recall"]) == (1.0, 1 / 2)
    # in 15 bins two pairs stand together: 0.90 and 0.90, both right; 0.75, wrong, and 0.80 at its bin's edge
    gaps = [2 * (1 - 0.9), 2 * abs(0.5 - 0.775), 1 - 0.7, 1 - 0.95, 1 - 0.65, 0.55]
    assert numbers["calibration_error"] == pytest.approx(sum(gaps) / 8)


def test_a_network_that_makes_no_mistake_is_said_to_make_none() -> None:
    right = replace(FINDINGS, labels=PROBABILITIES.argmax(axis=1), attention=None)
    text = report_files(network_report(right))["report.md"]
    assert "Most often it takes" not in text
    assert "## Attention" not in text


def test_the_cells_of_the_confusion_show_their_counts_and_shares() -> None:
    block = Confusion("confusion", "alt", ("a", "b", "c"), np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    axes = draw(block).axes[0]
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((0, 0), "3"),
        ((1, 0), "1"),
        ((1, 1), "4"),
    }
    colours = np.asarray(axes.images[0].get_array())
    strong = 1 + 0.7 * (np.array(to_rgb(BLUE)) - 1)
    assert colours[1, 1] == pytest.approx(strong)  # all of its row
    assert colours[0, 1] == pytest.approx(
        1 + 0.7 * 0.5 * (np.array(to_rgb(VERMILLION)) - 1)
    )  # root of a quarter
    assert colours[2].tolist() == [[1, 1, 1]] * 3


@pytest.mark.parametrize(("number", "shown"), [(20, {"1", "k0"}), (40, {"k0"}), (41, set())])
def test_many_classes_leave_numbers_and_then_names_out(number: int, shown: set[str]) -> None:
    assert (MOST_NUMBERS, MOST_NAMES) == (20, 40)
    block = Confusion("confusion", "alt", tuple(f"k{i}" for i in range(number)), np.eye(number, dtype=int))
    assert {"1", "k0"} & set(texts(figure_svg(block))) == shown


def test_the_reliability_figure_shows_every_bin_that_has_images() -> None:
    block = Reliability("reliability", "alt", "name", tuple(FINDINGS.bins))
    lower, upper = draw(block).axes
    filled = [each for each in FINDINGS.bins if each.images]
    assert [patch.get_height() for patch in upper.patches] == pytest.approx(
        [each.accuracy for each in filled]
    )
    assert [patch.get_height() for patch in lower.patches] == [each.images for each in FINDINGS.bins]
    dots = [line.get_xydata()[0].tolist() for line in upper.lines if line.get_marker() == "o"]
    assert dots == [pytest.approx([each.confidence, each.accuracy]) for each in filled]


def test_a_picture_is_drawn_from_nothing_to_its_strongest_with_its_mark() -> None:
    marked = PICTURES.grid[0][1]
    assert marked is not None
    block = replace(PICTURES, grid=((None, marked._replace(mark=(1, 0), caption="side 2.0 px")),))
    blank, shown = draw(block).axes
    assert not blank.images
    (image,) = shown.images
    assert np.asarray(image.get_array()).tolist() == HEAT.tolist()
    assert image.get_clim() == (0, 4)
    ((across, down),) = [line.get_xydata()[0] for line in shown.lines]
    assert (down, across) == (1, 0)
    assert "side 2.0 px" in texts(figure_svg(block))
