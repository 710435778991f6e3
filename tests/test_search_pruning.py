"""Thresholds that are known when a run is handed out, against Optuna's own pruners as a second opinion."""

import random
from types import SimpleNamespace

import optuna
import pytest
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner

from msanet_bench.search.pruning import Run, bracket, stops
from msanet_bench.search_spec import PrunerSpec
from msanet_bench.train.stop import Stops

EPOCHS, STUDY = 9, "a-study"


def optunas(pruner: PrunerSpec) -> BasePruner:
    match pruner.name:
        case "median":
            return MedianPruner(n_startup_trials=pruner.startup, n_warmup_steps=pruner.warmup)
        case "successive_halving":
            return SuccessiveHalvingPruner(min_resource=pruner.first, reduction_factor=pruner.factor)
        case "hyperband":
            return HyperbandPruner(
                min_resource=pruner.first, max_resource=EPOCHS, reduction_factor=pruner.factor
            )


def reason(found: Stops, accuracies: list[float]) -> str:
    return found.reason([SimpleNamespace(validation_accuracy=accuracy) for accuracy in accuracies])


def curves(seed: int, number: int) -> list[list[float]]:
    """Learning curves that rise, cross, fall and tie."""
    source = random.Random(seed)  # noqa: S311
    heights = [(source.random(), source.random()) for _ in range(number)]
    return [
        [round(top * (1 - speed**epoch) + source.gauss(0, 0.05), 2) for epoch in range(1, EPOCHS + 1)]
        for top, speed in heights
    ]


def ends_by_optuna(pruner: PrunerSpec, runs: list[list[float]]) -> list[int]:
    """After how many epochs each run ends if they are run one after the other and Optuna is asked."""
    study = optuna.create_study(study_name=STUDY, direction="maximize", pruner=optunas(pruner))
    ends = []
    for curve in runs:
        trial = study.ask()
        for epoch, accuracy in enumerate(curve, start=1):
            trial.report(accuracy, epoch)
            if epoch < EPOCHS and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, curve[-1])
        ends.append(epoch)
    return ends


def ends_by_thresholds(pruner: PrunerSpec, curves: list[list[float]]) -> list[int]:
    runs: list[Run] = []
    for number, curve in enumerate(curves):
        found = stops(pruner, study=STUDY, number=number, epochs=EPOCHS, runs=runs)
        end = next((e for e in range(1, EPOCHS) if reason(found, curve[:e])), EPOCHS)
        runs.append(Run(number, curve[:end], is_complete=end == EPOCHS))
    return [len(run.accuracies) for run in runs]


@pytest.mark.parametrize(
    "pruner",
    [
        PrunerSpec(name="median"),
        PrunerSpec(name="median", startup=1, warmup=3),
        PrunerSpec(name="successive_halving"),
        PrunerSpec(name="successive_halving", factor=2),
        PrunerSpec(name="successive_halving", factor=2, first=2),
        PrunerSpec(name="hyperband"),
        PrunerSpec(name="hyperband", factor=2, first=2),
    ],
    ids=str,
)
def test_runs_end_where_optunas_own_pruner_ends_them(pruner: PrunerSpec) -> None:
    for seed in range(5):
        runs = curves(seed, 40)
        ends = ends_by_thresholds(pruner, runs)
        assert ends == ends_by_optuna(pruner, runs)
        assert len(set(ends)) > 1


def test_the_comparison_with_optuna_can_fail() -> None:
    runs = curves(0, 40)
    halving, median = PrunerSpec(name="successive_halving"), PrunerSpec(name="median")
    assert ends_by_thresholds(halving, runs) != ends_by_optuna(median, runs)
    other = PrunerSpec(name="median", startup=8)
    assert ends_by_thresholds(median, runs) != ends_by_optuna(other, runs)


def test_the_thresholds_of_the_median_by_hand() -> None:
    runs = [Run(0, [0.2, 0.5, 0.6], is_complete=True), Run(1, [0.4, 0.3, 0.8], is_complete=True)]
    runs += [Run(2, [0.3, 0.9, 0.7], is_complete=True), Run(3, [0.99], is_complete=False)]
    pruner = PrunerSpec(name="median", startup=3)
    found = stops(pruner, study=STUDY, number=4, epochs=3, runs=runs)
    assert found == Stops({1: 0.3, 2: 0.5}, of_best=True)
    assert reason(found, [0.29]) == "best validation accuracy 0.2900 after epoch 1 is below 0.3000"
    assert reason(found, [0.3]) == ""
    assert reason(found, [0.6, 0.1]) == ""  # its best epoch counts
    assert reason(found, [0.6, 0.1, 0.0]) == ""  # after the last epoch nothing is saved
    early = stops(pruner, study=STUDY, number=4, epochs=3, runs=runs[:2])
    assert early.thresholds == {}


def test_the_rungs_of_successive_halving_by_hand() -> None:
    accuracies = (0.5, 0.9, 0.7, 0.6, 0.8)
    runs = [Run(i, [a], is_complete=False) for i, a in enumerate(accuracies)]
    runs += [Run(9, [0.1, 0.2, 0.3, 0.4], is_complete=True)]
    found = stops(PrunerSpec(name="successive_halving"), study=STUDY, number=7, epochs=10, runs=runs)
    # seven with this one: two of them pass the first rung, so it must not be worse than the second of the six
    assert found == Stops({1: 0.8, 3: 0.3})
    assert reason(found, [0.79])
    assert not reason(found, [0.8])
    # no other has come to the rung of epoch 9: whoever comes first passes


def test_brackets_take_turns_as_often_as_their_shares_are() -> None:
    pruner = PrunerSpec(name="hyperband", factor=3)
    counts = [0, 0, 0]
    for number in range(3000):
        counts[bracket(pruner, study=STUDY, number=number, epochs=9)] += 1
    # of 9 epochs: 9, 5 (3 x 3 / 2 rounded up) and 3 trials of 17
    for count, share in zip(counts, (9, 5, 3), strict=True):
        assert count == pytest.approx(3000 * share / 17, rel=0.1)
