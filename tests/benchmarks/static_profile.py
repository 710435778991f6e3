"""How long it takes to profile 1000 variants of the small net: all sources and checks, in one process.

    python tests/benchmarks/static_profile.py [VARIANTS]

The variants differ in their network, each in another way, so that none is answered from another's count. The
promise is 5 minutes on 2 cores; one process uses one of them. A build alone and one forward pass alone are
timed beside, to tell a slow machine from slow code.

The name is not `profile`, which would hide the standard library's from torch.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, product
from statistics import median

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.overlay import Settings, change_model
from msanet_bench.plan import Variant
from msanet_bench.profile import profile_variants
from msanet_bench.spec import ModelSpec

LIMIT_SECONDS = 300
SHAPE = ImageShape(1, 16, 16, 10)
SMALL = {"stem": "small", "width": 0.125, "depth": [1, 1, 1], "same_size_stages": [1]}
# 4 x 4 x 5 x 3 x 5 = 1200 networks
FACTORS = {
    "branches.conv3.kernel": [1, 3, 5, 7],
    "branches.conv5.kernel": [3, 5, 7, 9],
    "branches.dilated.dilation": [1, 2, 3, 4, 5],
    "attention": ["self_attention", "none", "eca"],
    "width": [0.125, 0.25, 0.375, 0.5, 0.625],
}


def main(number: int) -> None:
    torch.set_num_threads(1)
    variants = tuple(islice(_variants(), number))
    plan = CheckedPlan(
        variants=variants,
        merged={variant.name: () for variant in variants},
        excluded=(),
        notes=(),
        shapes={variant.name: SHAPE for variant in variants},
        data_digests={},
        test_labels=(),
    )
    model = build_variant(variants[0], SHAPE).eval()
    images = torch.zeros(1, *SHAPE.image)
    build = _median_seconds(lambda: build_variant(variants[0], SHAPE))
    with torch.no_grad():
        forward = _median_seconds(lambda: model(images))
    clock = time.perf_counter()
    profile = profile_variants(plan)
    seconds = time.perf_counter() - clock
    exact = sum(costs.counts.macs.status == "exact" for costs in profile.values())
    each = seconds / len(variants)
    print(f"{len(variants)} variants, {exact} exact: {seconds:.1f} s, {1e3 * each:.1f} ms each")
    print(f"one build {1e3 * build:.1f} ms, one forward pass {1e3 * forward:.1f} ms")
    print(f"a profile is {each / build:.1f} builds or {each / forward:.1f} forward passes")
    print(f"1000 variants: {1000 * each / LIMIT_SECONDS:.2f} of the {LIMIT_SECONDS} s that are promised")


def _variants() -> Iterator[Variant]:
    small = ModelSpec()
    for path, value in SMALL.items():
        small = change_model(small, path, value)
    for number, values in enumerate(product(*FACTORS.values())):
        model = small
        for path, value in zip(FACTORS, values, strict=True):
            model = change_model(model, path, value)
        yield Variant(f"variant {number}", {}, Settings(model=model))


def _median_seconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(20):
        clock = time.perf_counter()
        action()
        times.append(time.perf_counter() - clock)
    return median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
