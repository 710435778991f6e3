"""Figures of a search: what was found for which cost, and when."""

from collections.abc import Mapping

from msanet_bench.report.document import Bar, Point, Progress, Scatter, Tried
from msanet_bench.report.search import Searched, SearchTrial
from msanet_bench.search_spec import Objective

_NAN = float("nan")
_MILLION, _MEBIBYTE, _MILLISECOND = 1e6, 2**20, 1e-3

_AXES: Mapping[Objective, tuple[str, float]] = {
    "params": ("million parameters", _MILLION),
    "macs": ("million multiply-accumulates of one image", _MILLION),
    "memory": ("estimated peak memory of inference, one image, MiB", _MEBIBYTE),
    "latency": ("latency of one image before training, ms", _MILLISECOND),
}


def scatter(searched: Searched, cost: Objective, name: str) -> Scatter:
    """Validation accuracy against a cost, by trial."""
    axis, unit = _AXES[cost]
    place = searched.objectives.index(cost)
    return Scatter(
        name="search_front",
        alt=f"Validation accuracy of every complete trial against its {name}",
        x_axis=axis,
        y_axis="validation accuracy, %",
        points=tuple(
            Point(
                label="baseline" if trial.number == 0 else str(trial.number),
                x=_cost(trial, cost, trial.values[place], unit),
                y=Bar(100 * searched.accuracy(trial), _NAN, _NAN),
                kind="baseline" if trial.number == 0 else "variant",
                name=trial.variant,
            )
            for trial in searched.complete
        ),
    )


def _cost(trial: SearchTrial, cost: Objective, value: float, unit: float) -> Bar:
    if cost == "latency" and trial.latency is not None:
        return Bar(*(seconds / unit for seconds in trial.latency))
    return Bar(value / unit, _NAN, _NAN)


def progress(searched: Searched) -> Progress:
    """Validation accuracy as the search went on."""
    return Progress(
        name="search_progress",
        alt="Validation accuracy of each trial in the order of asking, and the best so far",
        axis="validation accuracy, %",
        trials=tuple(
            Tried(trial.number, 100 * searched.accuracy(trial) if trial.values else None)
            for trial in searched.trials
        ),
    )
