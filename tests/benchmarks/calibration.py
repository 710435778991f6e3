"""How often the verdicts and intervals of the report are wrong, where the truth is planted.

    python tests/benchmarks/calibration.py

A 2^4 factorial, sixteen networks, at 3, 5 and 10 seeds. First accuracies with an error of 0.3 points: false
claims in a family of four effects that are none, false equivalence where the truth is just delta, how often
an effect of the size that is called detectable is found, and how often intervals hold the truth. Everything
runs through the functions that the report calls. A number outside its range is marked, and the exit code is
1.

Then bits of correctness of 2000 images, for the interval on new data, beside that of seeds alone and that of
a two-way analysis of variance of the contrast's own bits. Ours pools the error of seeds over the table, so
networks must spread alike over seeds. Those of unequal accuracy do not: their intervals are shown too,
without a promise, since the best network spreads less than the mean, and the worst more.
"""

import itertools
import math
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from msanet_bench.analysis.contrasts import BlockFit, Contrast, contrast, fit_blocks, t_interval
from msanet_bench.analysis.credit import attributions
from msanet_bench.analysis.crossed import cross, on_new_data
from msanet_bench.analysis.power import smallest_detectable
from msanet_bench.analysis.verdicts import judge
from msanet_bench.analysis.weights import Weights

FloatArray = NDArray[np.float64]

PARTS = "abcd"
COALITIONS = [frozenset(some) for size in range(5) for some in itertools.combinations(PARTS, size)]
NAMES = ["".join(sorted(coalition)) or "-" for coalition in COALITIONS]
SIGNS = np.array([[1.0 if part in coalition else -1.0 for part in PARTS] for coalition in COALITIONS])
SEEDS = 3, 5, 10
TABLES = 4000
DEVIATION, DELTA = 0.3, 0.3
CLAIMS = {"HELPS", "HURTS", "helps", "hurts", "negligible"}
SMALL = {"negligible", "NO MATERIAL EFFECT"}

FALSE_CLAIMS, FALSE_EQUIVALENCE, COVERAGE, POWER = (0.03, 0.06), (0.04, 0.06), (0.94, 0.96), (0.78, 0.82)

# Bits: right if level + seeds + image + image of this network + luck > 0, all normal, with these deviations.
IMAGES, BIT_TABLES = 2000, 600
TITLES = {"seeds": "seeds alone", "ours": "on new data", "page": "on new data, own error of seeds"}
LEVEL, OF_SEED, OF_NETWORK_AND_SEED, OF_IMAGE, OF_NETWORK_AND_IMAGE, LUCK = 3.4, 0.05, 0.05, 2.0, 0.6, 0.6


def _of_every_kind() -> dict[str, list[Weights]]:
    found = attributions(PARTS, dict(zip(COALITIONS, NAMES, strict=True)))
    return {
        "main effect": [a.main for a in found if a.main],
        "removal from the whole": [a.removed for a in found if a.removed],
        "addition to nothing": [a.added for a in found if a.added],
        "Shapley share": [a.shapley for a in found if a.shapley],
    }


KINDS = _of_every_kind()


class Outcome(NamedTuple):
    """A share, of how many simulated tables, and where it should lie; None where nothing is promised."""

    name: str
    share: float
    tables: int
    wanted: tuple[float, float] | None

    def line(self) -> str:
        error = math.sqrt(self.share * (1 - self.share) / self.tables)
        text = f"  {self.name:<56} {100 * self.share:5.1f} % +/- {100 * error:.1f}"
        if self.wanted is None:
            return text
        low, high = self.wanted
        return f"{text}  ({low:.0%} to {high:.0%}){'' if self.is_as_wanted else '  OUT OF RANGE'}"

    @property
    def is_as_wanted(self) -> bool:
        return self.wanted is None or self.wanted[0] <= self.share <= self.wanted[1]


def main() -> None:
    clock = time.perf_counter()
    outcomes: list[Outcome] = []
    for seeds in SEEDS:
        parts = {
            "accuracies": _accuracies(seeds),
            f"bits of {IMAGES} images, networks of equal accuracy": _bits(seeds, 0.0, COVERAGE),
            f"bits of {IMAGES} images, networks of 92 to 96 %": _bits(seeds, 0.15, None),
        }
        for title, found in parts.items():
            print(f"{seeds} seeds, {title}")
            for outcome in found:
                print(outcome.line(), flush=True)
                outcomes.append(outcome)
    print(f"{time.perf_counter() - clock:.0f} s")
    sys.exit(0 if all(outcome.is_as_wanted for outcome in outcomes) else 1)


def _accuracies(seeds: int) -> Iterator[Outcome]:
    source = np.random.default_rng(seeds)
    # a main effect weighs each of sixteen cells by an eighth
    se = DEVIATION / math.sqrt(4 * seeds)
    detectable = smallest_detectable(se, (len(NAMES) - 1) * (seeds - 1))
    claims = equivalences = detected = 0
    held = dict.fromkeys(KINDS, 0)
    for _ in range(TABLES):
        # interactions of every order, and no main effect
        truth = _without_main_effects(source.normal(0, 0.5, len(NAMES)))
        noise = source.normal(0, DEVIATION, (len(NAMES), seeds)) + source.normal(0, 1, seeds)
        fit = _fit(truth[:, None] + noise)
        mains = [contrast(fit, weights) for weights in KINDS["main effect"]]
        claims += any(verdict.word in CLAIMS for verdict in judge(mains, DELTA))
        # an effect moves its interval and leaves its width
        detected += sum(not -main.high <= detectable <= -main.low for main in mains)
        shifted = _fit((truth + SIGNS.sum(axis=1) * DELTA / 2)[:, None] + noise)
        edges = [contrast(shifted, weights) for weights in KINDS["main effect"]]
        equivalences += sum(verdict.word in SMALL for verdict in judge(edges, DELTA))
        for kind, family in KINDS.items():
            held[kind] += sum(_holds(contrast(fit, w), _worth(w, truth)) for w in family)
    yield Outcome("any false claim among 4 effects that are none", claims / TABLES, TABLES, FALSE_CLAIMS)
    share = equivalences / TABLES / len(PARTS)
    yield Outcome("called small where the truth is delta", share, TABLES, FALSE_EQUIVALENCE)
    share = detected / TABLES / len(PARTS)
    yield Outcome("found where the truth is what is called detectable", share, TABLES, POWER)
    for kind, times in held.items():
        yield Outcome(f"{kind}, its interval holds the truth", times / TABLES / len(PARTS), TABLES, COVERAGE)


def _bits(seeds: int, step: float, wanted: tuple[float, float] | None) -> Iterator[Outcome]:
    source = np.random.default_rng(100 + seeds)
    levels = LEVEL + step * SIGNS.sum(axis=1) / 2
    deviation = math.hypot(OF_SEED, OF_NETWORK_AND_SEED, OF_IMAGE, OF_NETWORK_AND_IMAGE, LUCK)
    truth = norm.cdf(levels / deviation)
    kinds = {kind: family for kind, family in KINDS.items() if kind != "Shapley share"}
    held = {(kind, interval): 0 for kind in kinds for interval in TITLES}
    for _ in range(BIT_TABLES):
        bits = _draw_bits(source, levels, seeds)
        fit = _fit(bits.mean(axis=2, dtype=np.float64))
        for kind, family in kinds.items():
            for weights in family:
                for interval, found in _intervals(fit, weights, bits).items():
                    held[kind, interval] += _holds(found, _worth(weights, truth))
    for (kind, interval), times in held.items():
        share = times / BIT_TABLES / len(PARTS)
        promised = wanted if interval == "ours" else None
        yield Outcome(f"{kind}, {TITLES[interval]}", share, BIT_TABLES, promised)


def _intervals(fit: BlockFit, weights: Weights, bits: NDArray[np.float32]) -> dict[str, Contrast]:
    vector = np.array([weights.get(name, 0.0) for name in NAMES], dtype=np.float32)
    difference = np.tensordot(vector, bits, axes=1)
    here = contrast(fit, weights)
    anew = on_new_data(here, cross(difference))
    assert anew is not None
    return {"seeds": here, "ours": anew, "page": _page(difference)}


def _draw_bits(source: np.random.Generator, levels: FloatArray, seeds: int) -> NDArray[np.float32]:
    """Correctness of each network, seed and image; of this table's own images."""

    def normal(deviation: float, *shape: int) -> NDArray[np.float32]:
        return np.float32(deviation) * source.standard_normal(shape, dtype=np.float32)

    networks = len(levels)
    fixed = levels.astype(np.float32)[:, None, None] + normal(OF_IMAGE, 1, 1, IMAGES)
    latent = (
        fixed
        + normal(OF_SEED, 1, seeds, 1)
        + normal(OF_NETWORK_AND_SEED, networks, seeds, 1)
        + normal(OF_NETWORK_AND_IMAGE, networks, 1, IMAGES)
        + normal(LUCK, networks, seeds, IMAGES)
    )
    return (latent > 0).astype(np.float32)


def _page(difference: NDArray[np.float32]) -> Contrast:
    """Mean squares of this contrast alone: (seeds + images - rest) / (seeds x images)."""
    seeds, images = difference.shape
    table = difference.astype(np.float64)
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    of_seeds, of_images = images * rows.var(ddof=1), seeds * columns.var(ddof=1)
    df_rest = (seeds - 1) * (images - 1)
    left = table - rows[:, None] - columns + table.mean()
    rest = float(np.square(left).sum()) / df_rest
    parts = ((of_seeds, seeds - 1), (of_images, images - 1), (rest, df_rest))
    variance = max(of_seeds + of_images - rest, 0.0)
    df = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    return t_interval(float(table.mean()), math.sqrt(variance / (seeds * images)), df)


def _without_main_effects(means: FloatArray) -> FloatArray:
    return means - SIGNS @ (SIGNS.T @ means) / len(means)


def _fit(values: FloatArray) -> BlockFit:
    """The block model of a table of networks x seeds."""
    networks, seeds = values.shape
    return fit_blocks(
        np.repeat(NAMES, seeds).tolist(), list(range(seeds)) * networks, values.ravel().tolist()
    )


def _worth(weights: Weights, truth: FloatArray) -> float:
    return sum(weight * float(truth[NAMES.index(name)]) for name, weight in weights.items())


def _holds(found: Contrast, truth: float) -> bool:
    return found.low <= truth <= found.high


if __name__ == "__main__":
    main()
