"""How long fused networks take next to the original, on the CPU with one thread and one image.

    python tests/benchmarks/fused.py [rounds]

Prints the median of paired ratios with the range of their middle half: each round times every network once,
one right after the other, in an order that turns, so that what slows the machine slows all of them.
"""

import statistics
import sys
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from msanet_bench.model.build import build
from msanet_bench.model.fused import fuse
from msanet_bench.model.initialise import initialise
from msanet_bench.spec import BlockSpec, ModelSpec

WARM_UP = 5
CASES = (
    ("width 0.125, 28 x 28", ModelSpec(stem=BlockSpec(block="small"), width=0.125), (1, 28, 28)),
    ("full width, 64 x 64", ModelSpec(), (3, 64, 64)),
)


def main(rounds: int) -> None:
    torch.set_num_threads(1)
    for name, spec, shape in CASES:
        model = build(spec, num_classes=10, in_channels=shape[0]).eval()
        initialise(model, 0)
        images = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
        networks = {
            "as trained": model,
            "norms folded": fuse(model, images, merge=False),
            "norms folded, branches merged": fuse(model, images),
        }
        report(name, measure(networks, images, rounds))


def measure(networks: Mapping[str, nn.Module], images: Tensor, rounds: int) -> Mapping[str, list[float]]:
    """Seconds of each network in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    names = list(networks)
    with torch.inference_mode():
        for place in range(-WARM_UP, rounds):
            turn = place % len(names)
            for name in names[turn:] + names[:turn]:
                start = time.perf_counter()
                networks[name](images)
                if place >= 0:
                    seconds[name].append(time.perf_counter() - start)
    return seconds


def report(case: str, seconds: Mapping[str, list[float]]) -> None:
    first = next(iter(seconds.values()))
    for name, series in seconds.items():
        ratios = [value / base for value, base in zip(series, first, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        print(
            f"{case}: {name}: {1000 * statistics.median(series):.3f} ms, "
            f"ratio {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}], n={len(series)}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
