"""What all figures share: colours, the marks of a verdict, the width."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from msanet_bench.report.document import Tone
from msanet_bench.report.numbers import fixed

# Of Okabe and Ito's colours, which colour-blind readers can tell apart.
INK, GREY, LIGHT, BAND = "#1b1f24", "#6e7781", "#d0d7de", "#fff3cd"
BLUE, VERMILLION, GREEN = "#0072b2", "#d55e00", "#009e73"

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "msanet-bench",
    "svg.fonttype": "none",
    # TrueType: many publishers refuse matplotlib's default, type 3
    "pdf.fonttype": 42,
    "font.family": ["sans-serif"],
    "font.size": 9,
    "text.parse_math": False,  # a name may hold a dollar sign
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
# The user's own matplotlibrc must not change the bytes.
STYLES: Sequence[str | dict[str, Any]] = ("default", _STYLE)

# Inches. The width is 826 pixels, which GitHub shows unshrunk.
WIDTH = 8.6
SMALL = 8  # points, of what explains a figure


class Mark(NamedTuple):
    """How a verdict looks, so that colour alone decides nothing."""

    colour: str
    marker: str
    size: float
    filling: str
    words: str


MARKS: Mapping[Tone, Mark] = {
    "helps": Mark(BLUE, "o", 5.5, BLUE, "helps"),
    "hurts": Mark(VERMILLION, "s", 5, VERMILLION, "hurts"),
    "equal": Mark(GREEN, "D", 5, GREEN, "no effect that matters"),
    "open": Mark(GREY, "o", 5.5, "white", "unresolved"),
}


def number(value: float, *, signed: bool = False) -> str:
    """Two decimals with a minus sign as on the axes."""
    return fixed(value, 2, signed=signed).replace("-", "\N{MINUS SIGN}")


def explain(axes: Axes, words: Sequence[str], handles: Sequence[Any] = ()) -> None:
    """One line of words above the axes and, between the two, one of what marks mean."""
    pad = 6.0
    if handles:
        axes.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(handles),
            borderaxespad=0.2,
            fontsize=SMALL,
            columnspacing=1.4,
            handletextpad=0.3,
            handlelength=1.6,
        )
        pad += 15
    axes.set_title(" ".join(words), loc="right", fontsize=SMALL, color=GREY, pad=pad)


def key(mark: Mark) -> Line2D:
    """A mark with its meaning, for a legend."""
    return Line2D(
        [],
        [],
        color=mark.colour,
        marker=mark.marker,
        markersize=mark.size,
        markerfacecolor=mark.filling,
        linestyle="none",
        label=mark.words,
    )
