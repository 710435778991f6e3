"""Weighted sums of bits: against plain loops over unpacked ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msanet_bench.analysis.correctness import _AT_ONCE, Correctness, differences
from msanet_bench.analysis.weights import Weights

SEEDS = (0, 1, 2)


def drawn(names: list[str], images: int, state: int) -> dict[str, dict[int, np.ndarray]]:
    source = np.random.default_rng(state)
    return {name: {seed: source.random(images) < 0.7 for seed in SEEDS} for name in names}


def packed(bits: dict[str, dict[int, np.ndarray]], images: int) -> Correctness:
    rows = {n: {s: np.packbits(row).tobytes() for s, row in of.items()} for n, of in bits.items()}
    return Correctness(rows, images)


def by_loops(bits: dict[str, dict[int, np.ndarray]], weights: Weights) -> np.ndarray | None:
    used = {name: weight for name, weight in weights.items() if weight}
    if not used.keys() <= bits.keys():
        return None
    common = sorted(set.intersection(*(set(bits[name]) for name in used)))
    if not common:
        return None
    return np.array([sum(w * bits[n][s].astype(float) for n, w in used.items()) for s in common])


def test_bits_come_back_as_they_were_packed() -> None:
    bits = drawn(["a"], 13, 1)
    found = packed(bits, 13).of("a")
    assert found.shape == (3, 13)
    assert (found == np.array([bits["a"][s] for s in SEEDS])).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.data())
def test_sums_are_those_of_plain_loops(images: int, state: int, data: st.DataObject) -> None:
    names = ["a", "b", "c", "d"]
    bits = drawn(names, images, state)
    for name in names:
        for seed in data.draw(st.sets(st.sampled_from(SEEDS), max_size=2)):
            del bits[name][seed]
    weight = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])
    some = st.dictionaries(st.sampled_from([*names, "gone"]), weight, min_size=1)
    family = [w for w in data.draw(st.lists(some, min_size=1, max_size=4)) if any(w.values())]
    found = list(differences(packed(bits, images), family))
    assert len(found) == len(family)
    for sums, weights in zip(found, family, strict=True):
        expected = by_loops(bits, weights)
        assert (sums is None) == (expected is None)
        if sums is not None and expected is not None:
            assert sums == pytest.approx(expected, abs=1e-6)


def test_more_variants_and_contrasts_than_are_taken_at_once_lose_nothing() -> None:
    names = [f"v{n}" for n in range(2 * _AT_ONCE + 3)]
    bits = drawn(names, 9, 5)
    family: list[Weights] = [{name: 1.0, "v0": -1.0} for name in names[1:]]
    family.append({name: 1 / len(names) for name in names})
    found = list(differences(packed(bits, 9), family))
    assert len(found) == len(family)
    for sums, weights in zip(found, family, strict=True):
        assert sums == pytest.approx(by_loops(bits, weights), abs=1e-5)
