"""A run that goes on from its progress, with networks and data that know no files."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from msanet_bench.spec import TrainSpec
from msanet_bench.train.fit import Fit
from msanet_bench.train.progress import Progress
from test_train_fit import QUICK, Fickle, Net, bits, fickle_data, noisy, train

# of 4 validation images: the first epoch is the best one
HITS = [4, 1, 2, 3]
BEST = TrainSpec(epochs=4, batch_size=4, checkpoint="best_val")


class Killed(Exception):
    """The run ends here."""


def stopped(epochs: int, spec: TrainSpec, **arguments: Any) -> Progress:
    """The progress of a run that was stopped after some epochs; its tensors are copies."""
    kept: list[Progress] = []

    def keep(progress: Progress) -> None:
        if len(progress.curve) == epochs:
            kept.append(torch.utils._pytree.tree_map(_copied, {"it": _fields(progress)})["it"])
            raise Killed

    with pytest.raises(Killed):
        train(spec, keep=keep, **arguments)
    return Progress(**kept[0])


def _fields(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in Progress.__slots__}


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def resumed(progress: Progress) -> tuple[Fickle, Fit]:
    return train(BEST, model=Fickle(HITS), data=fickle_data(), start=progress)


def test_the_best_epoch_before_a_stop_stays_the_best() -> None:
    progress = stopped(2, BEST, model=Fickle(HITS), data=fickle_data())
    model, result = resumed(progress)
    assert result.chosen_epoch == 1
    assert model.state_dict()["epoch"] == 1


def test_a_run_that_forgets_its_best_weights_ends_with_others() -> None:
    progress = stopped(2, BEST, model=Fickle(HITS), data=fickle_data())
    model, _ = resumed(replace(progress, best={}))
    assert model.state_dict()["epoch"] == 4


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_run_goes_on_to_the_same_bits(precision: str) -> None:
    spec = QUICK.model_copy(update={"epochs": 3, "precision": precision})
    quiet, whole = train(spec, augment=noisy)
    progress = stopped(1, spec, augment=noisy)
    torch.rand(3)
    model, result = train(spec, model=Net(), augment=noisy, start=progress)
    assert bits(model) == bits(quiet)
    assert result == whole


def test_a_progress_at_the_end_trains_nothing_more() -> None:
    quiet, whole = train(QUICK)
    progress = stopped(2, QUICK)
    model, result = train(QUICK, start=progress)
    assert (bits(model), result) == (bits(quiet), whole)
