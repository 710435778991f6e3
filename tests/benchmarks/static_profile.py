"""How long it takes to profile variants of the small net: all that `profile.json` holds, on all cores.

    python tests/benchmarks/static_profile.py [VARIANTS]

The variants differ in their network, each in another way, so that none is answered from another's count. The
promise is 1000 in 5 minutes on 2 cores. The time that one core works on each part is printed too, of a few
variants in this process: it tells a busy machine from slow code.

The name is not `profile`, which would hide the standard library's from torch.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.measure.macs import count
from msanet_bench.measure.memory.estimate import estimate_memory
from msanet_bench.measure.params import take_inventory
from msanet_bench.measure.receptive_field import effective_field, theoretical_field
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.initialise import initialise
from msanet_bench.overlay import Settings, change_model
from msanet_bench.plan import Variant
from msanet_bench.profile import profile_variants
from msanet_bench.spec import ModelSpec

LIMIT_SECONDS = 300
SAMPLE = 20
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
    clock = time.perf_counter()
    profile = profile_variants(plan)
    seconds = time.perf_counter() - clock
    exact = sum(costs.counts.macs.status == "exact" for costs in profile.values())
    estimated = sum(costs.memory.status == "estimated" for costs in profile.values())
    fields = sum(costs.theoretical.status == "exact" for costs in profile.values())
    print(f"{number} variants: {exact} exact MACs, {estimated} memory estimates, {fields} receptive fields")
    print(f"{seconds:.1f} s on {len(os.sched_getaffinity(0))} cores, with the start of the processes")
    print(f"1000 variants: {1000 * seconds / number / LIMIT_SECONDS:.2f} of the promised {LIMIT_SECONDS} s")
    parts = _core_seconds(list(_variants())[:: 1200 // SAMPLE])
    for part, core_seconds in parts.items():
        print(f"{part:>30} {1e3 * core_seconds:6.1f} ms")
    each = sum(parts.values())
    print(f"{'together':>30} {1e3 * each:6.1f} ms: 500 variants on a core of its own take {500 * each:.0f} s")


def _core_seconds(variants: Sequence[Variant]) -> dict[str, float]:
    """How long a core works on each part of a profile: the mean over variants."""
    totals: Counter[str] = Counter()
    for variant in variants:
        for part, action in _parts(variant).items():
            clock = time.process_time()
            action()
            totals[part] += time.process_time() - clock
    return {part: total / len(variants) for part, total in totals.items()}


def _parts(variant: Variant) -> dict[str, Callable[[], object]]:
    model, image = build_variant(variant, SHAPE), SHAPE.image
    use_attention(model, "explicit")
    batch = variant.settings.train.batch_size
    return {
        "build": lambda: build_variant(variant, SHAPE),
        "start": lambda: initialise(model, 0),
        "inventory": lambda: take_inventory(model),
        "counts, three sources": lambda: count(model, image),
        "memory estimate": lambda: estimate_memory(model, image, train_batch=batch),
        "theoretical receptive field": lambda: theoretical_field(model, image),
        "effective receptive field": lambda: effective_field(model, image),
    }


def _variants() -> Iterator[Variant]:
    small = ModelSpec()
    for path, value in SMALL.items():
        small = change_model(small, path, value)
    for number, values in enumerate(product(*FACTORS.values())):
        model = small
        for path, value in zip(FACTORS, values, strict=True):
            model = change_model(model, path, value)
        yield Variant(f"variant {number}", {}, Settings(model=model))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
