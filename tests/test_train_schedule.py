import warnings
from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from msanet_bench.train.schedule import lr_factor


def torch_rates(make_scheduler: Callable[[SGD], LRScheduler], total: int) -> list[float]:
    """The rates of torch's own scheduler, read before each of `total` steps."""
    parameter = torch.nn.Parameter(torch.zeros(()))
    optimiser = SGD([parameter], lr=1.0)
    scheduler = make_scheduler(optimiser)
    rates = []
    with warnings.catch_warnings():
        # The last step of a schedule is one more than torch's own loop would ask for.
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(total):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            if len(rates) < total:
                scheduler.step()
    return rates


@pytest.mark.parametrize("total", [10, 37, 400])
def test_one_cycle_moves_as_torchs_scheduler_does(total: int) -> None:
    expected = torch_rates(
        lambda optimiser: OneCycleLR(optimiser, 1.0, total, cycle_momentum=False),
        total,
    )
    assert [lr_factor("one_cycle", step, total) for step in range(total)] == pytest.approx(expected)


@pytest.mark.parametrize("total", [1, 10, 37])
def test_cosine_moves_as_torchs_scheduler_does(total: int) -> None:
    expected = torch_rates(lambda optimiser: CosineAnnealingLR(optimiser, total), total)
    assert [lr_factor("cosine", step, total) for step in range(total)] == pytest.approx(expected)


def test_constant_stays_at_the_peak() -> None:
    assert {lr_factor("constant", step, 5) for step in range(5)} == {1.0}


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_one_cycle_of_a_few_steps_stays_between_nothing_and_the_peak(total: int) -> None:
    factors = [lr_factor("one_cycle", step, total) for step in range(total)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) > 0.5
