"""Every column that a table for a paper may have, with its cells."""

from collections.abc import Callable, Mapping

from msanet_bench.report.external import Reference
from msanet_bench.report.findings import VariantFinding
from msanet_bench.report.names import short_path
from msanet_bench.report.numbers import fixed
from msanet_bench.report.paper import levels
from msanet_bench.report.paper.costs import ELSEWHERE, latency, latency_elsewhere, latency_on, macs, params
from msanet_bench.report.paper.filled import Filled, Shown, fill
from msanet_bench.report.paper.values import PLUS_MINUS, Cell, Column, Estimate, Range, Share, Spread, Word

_DECIMALS = 2


def filled(shown: Shown, name: str) -> list[Filled]:
    """The columns that a name stands for: one, or one a component or a kind of device."""
    return COLUMNS[name](shown) if name in COLUMNS else [_factor(shown, name)]


def _components(shown: Shown) -> list[Filled]:
    return [_factor(shown, path) for path in levels.components(shown.findings.manifest)]


def _factor(shown: Shown, path: str) -> Filled:
    manifest = shown.findings.manifest
    planned = {variant.name: variant for variant in manifest.variants}
    column = Column(path, short_path(path, levels.components(manifest)), side="centre")
    return fill(shown, column, lambda variant: levels.cell(manifest, planned[variant.name], path))


def _accuracy(shown: Shown) -> list[Filled]:
    decimals = shown.decimals.get("accuracy", _DECIMALS)
    has_deviation = any(v.accuracy is not None and v.accuracy.has_interval for v in shown.variants)

    def cell(variant: VariantFinding) -> Cell:
        found = variant.accuracy
        if found is None:
            return None
        deviation = _percent(found.sd, decimals) if found.has_interval else None
        return Spread(_percent(found.mean, decimals), deviation)

    unit = f"% ({PLUS_MINUS} sd)" if has_deviation else "%"
    column = Column("accuracy", "accuracy", unit, parts=("_percent", "_sd_pp"))
    return [fill(shown, column, cell, lambda reference: _stated(reference, decimals))]


def _mean(shown: Shown) -> list[Filled]:
    decimals = shown.decimals.get("mean", _DECIMALS)
    return [
        fill(
            shown,
            Column("mean", "accuracy", "%", parts=("_percent",)),
            lambda variant: _percent(variant.accuracy.mean, decimals) if variant.accuracy else None,
            lambda reference: _stated(reference, decimals),
        )
    ]


def _sd(shown: Shown) -> list[Filled]:
    decimals = shown.decimals.get("sd", _DECIMALS)

    def cell(variant: VariantFinding) -> Cell:
        found = variant.accuracy
        return _percent(found.sd, decimals) if found and found.has_interval else None

    return [fill(shown, Column("sd", "sd", "pp", parts=("_pp",)), cell)]


def _interval(shown: Shown) -> list[Filled]:
    decimals = shown.decimals.get("interval", _DECIMALS)

    def cell(variant: VariantFinding) -> Cell:
        found = variant.accuracy
        if found is None or not found.has_interval:
            return None
        return Range(_percent(found.low, decimals), _percent(found.high, decimals))

    column = Column("interval", "accuracy", "% [95 %]", parts=("_low_percent", "_high_percent"))
    return [fill(shown, column, cell)]


def _n(shown: Shown) -> list[Filled]:
    planned = shown.findings.manifest.num_seeds
    column = Column("n", "n", parts=("", "_planned"))
    return [fill(shown, column, lambda variant: Share(variant.ok, planned(variant.name)))]


def _difference(shown: Shown) -> list[Filled]:
    decimals = shown.decimals.get("difference", _DECIMALS)

    def cell(variant: VariantFinding) -> Cell:
        if variant.name == shown.findings.manifest.baseline:
            return Word("baseline")
        found = variant.difference
        if found is None:
            return None
        low, high = (_points(bound, decimals) for bound in (found.low, found.high))
        return Estimate(_points(found.estimate, decimals), Range(low, high) if found.has_interval else None)

    column = Column("difference", "difference", "pp [95 %]", parts=("_pp", "_low_pp", "_high_pp"))
    return [fill(shown, column, cell)]


COLUMNS: Mapping[str, Callable[[Shown], list[Filled]]] = {
    "components": _components,
    "accuracy": _accuracy,
    "mean": _mean,
    "sd": _sd,
    "interval": _interval,
    "n": _n,
    "difference": _difference,
    "params": params,
    "macs": macs,
    "latency": latency,
    "latency_cpu": lambda shown: [latency_on(shown, "cpu")],
    "latency_cuda": lambda shown: [latency_on(shown, "cuda")],
    ELSEWHERE: latency_elsewhere,
}
WITHOUT_DECIMALS = frozenset({"components", "n"})


def _stated(reference: Reference, decimals: int) -> Cell:
    return None if reference.accuracy is None else _percent(reference.accuracy, decimals)


def _percent(fraction: float, decimals: int) -> str:
    return fixed(100 * fraction, decimals)


def _points(fraction: float, decimals: int) -> str:
    return fixed(100 * fraction, decimals, signed=True)
