"""What runs in the process of one checkout: builds its variants and times a call when its turn comes.

Run as a script with the checkout first on the path: everything of msanet_bench that is imported here is the
checkout's, and nothing else of this one is. So it keeps to names that every version has.

A request is one line of JSON on standard input, an answer one line on what was standard output.
"""

import copy
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from msanet_bench.checks import build_variant, check_plan, load_experiment
from msanet_bench.model.initialise import initialise


def main() -> None:
    # whatever the checkout prints must not be taken for an answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    setting = json.loads(sys.stdin.readline())
    # both processes on one core, since two cores of a shared machine are not alike; only one has a turn
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(setting["threads"])
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    plan = check_plan(load_experiment(Path(setting["experiment"])), Path(setting["data_root"]))
    shapes, variants = plan.shapes, {variant.name: variant for variant in plan.variants}
    _answer(answers, list(variants))
    where = torch.device(setting["device"])
    networks: dict[str, tuple[nn.Module, Tensor]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["variant"]
        if name not in networks:
            model: nn.Module = build_variant(variants[name], shapes[name])
            initialise(model, 0)
            images = torch.randn(
                setting["batch"], *shapes[name].image, generator=torch.Generator().manual_seed(0)
            )
            networks[name] = model.to(where).eval(), images.to(where)
        elif request["do"] == "move":
            model, images = networks[name]
            networks[name] = copy.deepcopy(model), images.clone()
        _answer(answers, _timed(*networks[name], where))


def _timed(model: Callable[[Tensor], object], images: Tensor, where: torch.device) -> list[float]:
    """When one call began, on a clock that all processes share, and how long it took; in nanoseconds."""
    wait: Callable[[], object] = torch.cuda.synchronize if where.type == "cuda" else lambda: None
    with torch.inference_mode():
        wait()
        start = time.perf_counter_ns()
        model(images)
        wait()
        return [start, time.perf_counter_ns() - start]


def _answer(answers: Any, value: object) -> None:  # noqa: ANN401  # a text stream
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
