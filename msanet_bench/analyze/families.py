"""The families of questions that a table of any design answers: what is compared with what."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from msanet_bench.analysis.factorial import cube
from msanet_bench.analysis.weights import Change, interaction, matched_pairs, trend, weights_main_effect
from msanet_bench.analyze.columns import Factor
from msanet_bench.analyze.fitted import HIGHEST_JUDGED, NUMBERS, Draft, Family, Fitted, family
from msanet_bench.analyze.trials import Trials

# Of three levels there are a linear and a quadratic trend; higher ones are not asked for.
_FEWEST_POSITIONS = 3
_TRENDS = {1: "linear", 2: "quadratic"}


def families(fitted: Fitted) -> tuple[Family, ...]:
    """Main effects, interactions up to the order that is asked for, and trends of numbers."""
    trials, order = fitted.trials, fitted.question.order
    found = [family("Main effects", "pairs", list(_main_effects(trials)), fitted)]
    for size in range(2, order + 1):
        drafts = list(_interactions(trials) if size == HIGHEST_JUDGED else _higher(trials, size))
        title, is_explored = f"Interactions of {NUMBERS.get(size, size)} factors", size > HIGHEST_JUDGED
        found.append(family(title, "groups", drafts, fitted, is_explored=is_explored))
    found.append(family("Trends", "groups", list(_trends(trials)), fitted))
    return tuple(one for one in found if one.rows)


def nested_in(trials: Trials, factor: Factor) -> set[str]:
    """The factors that apply only at some levels of this one, such as the dilation of a branch that is on."""
    return {
        other.name for other in trials.factors if other is not factor and _is_nested(trials, other, factor)
    }


def _is_nested(trials: Trials, inner: Factor, outer: Factor) -> bool:
    """Whether it applies at some levels and never at others; a mix at one level is no nesting."""
    applies = {
        level: {inner.name in levels for levels in trials.levels.values() if levels.get(outer.name) == level}
        for level in outer.levels
    }
    return all(len(seen) == 1 for seen in applies.values()) and len(set.union(*applies.values())) > 1


def _main_effects(trials: Trials) -> Iterator[Draft]:
    for factor in trials.factors:
        nested = nested_in(trials, factor)
        for change in changes_of(factor):
            pairs = matched_pairs(
                trials.tried, factor.name, level=change.level, reference=change.reference, nested=nested
            )
            reason = "no two cells with a value differ in this alone"
            yield Draft(label_of(change), weights_main_effect(pairs), len(pairs), "" if pairs else reason)


def _interactions(trials: Trials) -> Iterator[Draft]:
    for first, second in combinations(trials.factors, 2):
        inside_first, inside_second = nested_in(trials, first), nested_in(trials, second)
        if first.name in inside_second or second.name in inside_first:
            continue  # one applies only at some levels of the other, so there is no square
        for one, other in product(changes_of(first), changes_of(second)):
            found = interaction(trials.tried, one, other, nested=inside_first | inside_second)
            label = _crossed_label((one, other), (first, second))
            if found is None:
                yield Draft(label, None, 0, "no four cells with a value make a square")
            else:
                yield Draft(label, found.weights, found.groups, "")


def _higher(trials: Trials, size: int) -> Iterator[Draft]:
    """Of two-level factors alone: of more levels there are too many to read."""
    two = [factor for factor in trials.factors if len(factor.levels) == 2]  # noqa: PLR2004 - low and high
    for some in combinations(two, size):
        changes = [next(iter(changes_of(factor))) for factor in some]
        found = cube(trials.tried, changes)
        label = _crossed_label(changes, some)
        if found is None:
            yield Draft(label, None, 0, f"no {2**size} cells with a value have all combinations")
        else:
            yield Draft(label, found.weights, found.groups, "")


def _trends(trials: Trials) -> Iterator[Draft]:
    for factor in trials.factors:
        if len(factor.positions) < _FEWEST_POSITIONS:
            continue
        for degree, name in _TRENDS.items():
            found = trend(trials.tried, factor.name, factor.positions, degree)
            label = f"{factor.name}: {name} over {', '.join(factor.levels)}"
            if found is None:
                yield Draft(label, None, 0, "no group of cells has a value at each level")
            else:
                yield Draft(label, found.weights, found.groups, "")


def changes_of(factor: Factor) -> Iterator[Change]:
    """Each level against the first."""
    reference, *others = factor.levels
    for level in others:
        yield Change(factor.name, level, reference)


def label_of(change: Change) -> str:
    return f"{change.factor}: {change.level} against {change.reference}"


def _crossed_label(changes: Sequence[Change], factors: Sequence[Factor]) -> str:
    """`T x K`, or `kernel=5 x attention` where a factor has several changes."""
    parts = [
        change.factor if len(factor.levels) == 2 else f"{change.factor}={change.level}"  # noqa: PLR2004 - one change
        for change, factor in zip(changes, factors, strict=True)
    ]
    return " x ".join(parts)
