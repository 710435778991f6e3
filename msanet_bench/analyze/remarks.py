"""What was read, and what a reader has to know before believing the tables."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from msanet_bench.analyze import Analysis, Exact
from msanet_bench.analyze.columns import LIKELY_BLOCKS
from msanet_bench.analyze.numbers import p_text, plural, some
from msanet_bench.analyze.trials import missing_combinations

_FEW = 3
_UNEQUAL = 0.05


def read_lines(analysis: Analysis) -> Iterator[str]:
    """The table in a few lines: rows, factors, blocks, what failed and what is missing."""
    trials, question, sheet = analysis.trials, analysis.question, analysis.sheet
    better = "lower" if question.lower_is_better else "higher"
    yield f"{sheet.source}: `{question.response}`, {better} is better, in {plural(len(sheet.lines), 'row')}."
    for factor in trials.factors:
        yield f"  {factor.name}: {', '.join(factor.levels)}"
    for factor in trials.factors:
        empty = sum(not cell for cell in sheet.cells(factor.name))
        if empty:
            yield f"`{factor.name}` is empty in {plural(empty, 'row')}, so it does not apply there."
    yield _cells(analysis)
    if trials.failures:
        named = [
            f"line {one.line} ({one.variant}{f', {question.block} {one.block}' if question.block else ''})"
            for one in trials.failures
        ]
        yield (
            f"{plural(len(named), 'row')} without a response, a failed run each, not averaged over: "
            f"{some(named)}."
        )
    missing = missing_combinations(trials)
    if missing:
        total = math.prod(len(factor.levels) for factor in trials.factors)
        which = f": {'; '.join(missing)}" if len(missing) <= _FEW else ""
        has = "has" if len(missing) == 1 else "have"
        yield f"{len(missing)} of {total} combinations {has} no value{which}."
    for reason, names in trials.left_out.items():
        yield f"No factor, since {reason}: {', '.join(f'`{name}`' for name in names)}."


def remarks(analysis: Analysis) -> Iterator[str]:
    """What limits the conclusions."""
    question, fitted = analysis.question, analysis.fitted
    if analysis.not_a_fraction:
        yield f"{analysis.not_a_fraction}."
    if analysis.no_credit:
        yield f"No credit for components: {analysis.no_credit}."
    if analysis.exact is not None:
        yield _exact(analysis.exact)
    if not fitted.has_error:
        yield from _unrepeated(analysis)
        return
    yield (
        f"{fitted.fit.df} degrees of freedom, residual deviation {math.sqrt(fitted.fit.mean_square):.3g}. "
        "`detects`: the effect that would be found four times in five."
    )
    if question.delta is None:
        yield "No verdicts: --delta names the smallest difference that matters, in the unit of the response."
    else:
        small = f"`p (<{question.delta:g})`"
        yield f"{small}: of two one-sided tests that an effect is smaller, whatever its sign."
    yield from _together(analysis)
    yield from _blocking(analysis)
    if analysis.spread_p < _UNEQUAL:
        yield (
            f"The cells do not spread alike (Brown and Forsythe, p {p_text(analysis.spread_p)}): intervals "
            "of single differences are off, since the error is pooled over all cells."
        )
    yield "Intervals are about repeating these runs, not about new data."


def _together(analysis: Analysis) -> Iterator[str]:
    """What interactions are, and that a main effect beside a real one is a mean of unlike numbers."""
    crossed = [row for one in analysis.families for row in one.rows if " x " in row.label and row.contrast]
    if crossed:
        yield "An interaction is half of what one change does more when the other one is made too."
    real = [f"`{row.label}`" for row in crossed if row.p < analysis.question.alpha]
    if real:
        told = "What one does depends on the other, so their main effects are means of unlike numbers"
        yield f"{told}: {some(real)}."


def _blocking(analysis: Analysis) -> Iterator[str]:
    block, gain = analysis.question.block, analysis.pairing_gain
    if block is None:
        likely = next((name for name in analysis.sheet.columns if name.lower() in LIKELY_BLOCKS), None)
        if likely is not None:
            yield f"Rows of a cell count as replicates; --block {likely} compares within `{likely}`."
    elif gain > 1:
        yield f"Without `{block}` as block it would take {gain:.2g} times as many rows."
    elif gain <= 1:
        yield f"`{block}` as block buys nothing here: without it {gain:.2g} times as many rows would do."


def _exact(exact: Exact) -> str:
    flips = 2**exact.pairs
    pairs = plural(exact.pairs, "pair")
    return f"Exact p of {pairs} by flipping signs: {p_text(exact.p)} ({round(exact.p * flips)} of {flips:,})."


def _unrepeated(analysis: Analysis) -> Iterator[str]:
    yield (
        "Nothing is repeated, so there is no error to compare with: no interval, no p and no verdict. "
        "An effect and a lucky run look the same here."
    )
    screening = analysis.screening
    if screening is None:
        yield "Lenth's pseudo standard error needs a balanced design of several two-level factors."
    elif screening.margins is None:
        yield f"Lenth's pseudo standard error needs seven effects, and here are {len(screening.effects)}."
    else:
        yield (
            "`active` rests on the assumption that most effects are nothing; whether one that is not active "
            "matters cannot be said. Repeat the runs to find out."
        )


def _cells(analysis: Analysis) -> str:
    trials, question = analysis.trials, analysis.question
    cells = Counter(trials.variant)
    told = plural(len(cells), "cell")
    if not question.block:
        return f"{told}, {_range(list(cells.values()))} each; no block, so rows of a cell are replicates."
    blocks = len(set(trials.block))
    there = len(set(zip(trials.variant, trials.block, strict=True)))
    empty = len(cells) * blocks - there
    holes = f", {empty} of {len(cells) * blocks} cells x blocks empty" if empty else ", complete"
    holes += ", some with several rows" if there < len(trials.values) else ""
    return f"{told} in {plural(blocks, 'block')} of `{question.block}`{holes}."


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return plural(low, "value") if low == high else f"{low} to {high} values"
