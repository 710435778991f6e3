"""What few test images cannot show: equal counts are no proof of equal networks."""

import numpy as np
import pytest

from msanet_bench.records import Record, pack_bits
from msanet_bench.report.evidence import Claim, claims, gather
from msanet_bench.units import Measure

DIFFERENCE = {"b": 1.0, "a": -1.0}


def record(variant: str, seed: int, right: int, images: int) -> Record:
    """The first images right, the others wrong."""
    return Record(
        key=f"{variant}{seed}",
        variant=variant,
        factors={},
        seed=seed,
        replicate=0,
        status="ok",
        measures={"accuracy": Measure(right / images, "fraction", "higher")},
        correct=pack_bits(np.arange(images) < right),
        test_images=images,
    )


def claim_of(a: list[int], b: list[int], images: int) -> Claim:
    records = [
        record(name, seed, n, images) for name, row in (("a", a), ("b", b)) for seed, n in enumerate(row)
    ]
    (found,) = claims(gather(records, delta=0.005, alpha=0.05), [DIFFERENCE])
    assert found is not None
    return found


def test_two_seeds_that_differ_by_one_image_alike_are_no_proof() -> None:
    """An accuracy is uncertain by 1 / sqrt(12) images; so is the difference of two, over two seeds."""
    found = claim_of([320, 330], [321, 331], 360)
    assert found.here.estimate == pytest.approx(1 / 360)
    assert found.here.se == pytest.approx(1 / 360 / np.sqrt(12))
    assert found.word == "UNRESOLVED"


def test_many_images_make_the_same_a_proof() -> None:
    """The twin: one image of a million is known well enough."""
    assert claim_of([320_000, 330_000], [320_001, 330_001], 10**6).word == "NO MATERIAL EFFECT"


def test_a_hundred_images_answered_alike_say_nothing_of_new_ones() -> None:
    """None of 100 images differs: up to 3 % of others may, by the rule of three."""
    found = claim_of([84, 84, 84], [84, 84, 84], 100)
    assert found.new is not None
    assert found.new.high > 0.01
    assert found.scope != "new data"


def test_many_images_answered_alike_say_much_of_new_ones() -> None:
    """The twin of 10,000 images."""
    found = claim_of([8400, 8400, 8400], [8400, 8400, 8400], 10_000)
    assert (found.word, found.scope) == ("NO MATERIAL EFFECT", "new data")
