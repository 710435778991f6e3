"""The space of a search: what Optuna is asked for, and the variant that its answers make.

Optuna knows levels by their names, since lists and mappings are no choices of it, and ranges as they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from msanet_bench.factor_spec import Factor, Range
from msanet_bench.plan import Catalog, Choice, Variant, baseline_settings, holds, level_name, make_variant
from msanet_bench.spec import Experiment, digest

Params: TypeAlias = Mapping[str, str | int | float]

_DIGITS = 3


class Space:
    """The factors of a search, those first that others hang on.

    Args:
        asks_all: Whether factors that do not apply are asked for too: a sequence of points needs the same
            coordinates every time.
    """

    def __init__(self, experiment: Experiment, catalog: Catalog, *, asks_all: bool = False) -> None:
        self._base = baseline_settings(experiment)
        self._catalog = catalog
        self._declared = experiment.factors
        self._factors = dict(_in_order(experiment.factors))
        self._asks_all = asks_all
        self.distributions = {path: _distribution(factor) for path, factor in self._factors.items()}

    def suggest(self, trial: Trial) -> Params:
        """Ask Optuna for every factor that applies, in order."""
        params: dict[str, str | int | float] = {}
        for path, factor in self._factors.items():
            if self._is_asked(factor, params):
                params[path] = _suggested(trial, path, self.distributions[path])
        return params

    def variant(self, params: Params) -> Variant:
        """The variant of an answer."""
        choice = self.choice(params)
        named = {path: choice[path] for path in self._declared if path in choice}
        return make_variant(self._base, self._declared, named, self._catalog)

    def choice(self, params: Params) -> Choice:
        """What an answer sets, as far as it applies; numbers of ranges are rounded to three digits."""
        choice: dict[str, Any] = {}
        for path, value in params.items():
            factor = self._factors[path]
            if holds(self._base, factor.when, choice, self._catalog):
                choice[path] = _level(factor, value)
        return choice

    def params(self, levels: Mapping[str, str]) -> Params | None:
        """The answer that makes a variant of these levels; None if the space does not hold it."""
        params: dict[str, str | int | float] = {}
        for path, factor in self._factors.items():
            if holds(self._base, factor.when, self.choice(params), self._catalog):
                value = _named(factor, levels.get(path))
                if value is None:
                    return None
                params[path] = value
        return params if dict(self.variant(params).factors) == dict(levels) else None

    def holds(self, params: Params) -> bool:
        """Whether Optuna could answer so, here."""
        before: dict[str, str | int | float] = {}
        for path, factor in self._factors.items():
            if self._is_asked(factor, before):
                if path not in params or not _is_possible(factor, params[path]):
                    return False
                before[path] = params[path]
        return before == params

    def identity(self) -> str:
        return digest({path: str(distribution) for path, distribution in self.distributions.items()})

    def _is_asked(self, factor: Factor, params: Params) -> bool:
        return self._asks_all or holds(self._base, factor.when, self.choice(params), self._catalog)


def _in_order(factors: Mapping[str, Factor]) -> Iterator[tuple[str, Factor]]:
    waiting = dict(factors)
    while waiting:
        ready = [path for path, factor in waiting.items() if not factor.when.keys() & waiting.keys()]
        yield from ((path, waiting.pop(path)) for path in ready)


def _distribution(factor: Factor) -> BaseDistribution:
    ends = factor.range
    if ends is None:
        return CategoricalDistribution(tuple(level_name(level) for level in factor.levels))
    if ends.is_whole:
        return IntDistribution(int(ends.low), int(ends.high), log=ends.log)
    return FloatDistribution(ends.low, ends.high, log=ends.log)


def _suggested(trial: Trial, path: str, distribution: BaseDistribution) -> str | int | float:
    match distribution:
        case CategoricalDistribution(choices=choices):
            return str(trial.suggest_categorical(path, choices))
        case IntDistribution(low=low, high=high, log=log):
            return trial.suggest_int(path, low, high, log=log)
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(path, low, high, log=log)
    raise TypeError(f"no distribution of a factor: {distribution}")


def _level(factor: Factor, value: str | float) -> Any:  # noqa: ANN401 (what YAML may hold)
    if factor.range is None:
        return next(level for level in factor.levels if level_name(level) == value)
    return value if factor.range.is_whole else _rounded(float(value), factor.range)


def _is_possible(factor: Factor, value: str | float) -> bool:
    if factor.range is None:
        return any(level_name(level) == value for level in factor.levels)
    return value in factor.range and (isinstance(value, int) or not factor.range.is_whole)


def _rounded(value: float, ends: Range) -> float:
    return min(max(float(f"{value:.{_DIGITS}g}"), float(ends.low)), float(ends.high))


def _named(factor: Factor, name: str | None) -> str | int | float | None:
    """The answer that a level's name stands for."""
    if name is None:
        return None
    if factor.range is None:
        return name if name in map(level_name, factor.levels) else None
    try:
        value = int(name) if factor.range.is_whole else float(name)
    except ValueError:
        return None
    return value if value in factor.range else None
