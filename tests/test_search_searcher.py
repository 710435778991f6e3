"""Searches with a planted optimum, without training: what is found, and that it is found again."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from msanet_bench.errors import BenchError
from msanet_bench.plan import Variant
from msanet_bench.search import Timing, Trial, latest
from searching import Simulation, names, searched

GOOD_LR = 3e-3


def bowl(variant: Variant, seed: int, epoch: int) -> float:
    """Best at lr 3e-3, momentum 0.7 and SE with reduction 8; the seed moves it a little."""
    train, attention = variant.settings.train, variant.settings.model.attention
    miss = (math.log10(train.lr / GOOD_LR) / 2) ** 2 + (train.momentum - 0.7) ** 2
    bonus = {"se": 0.2 if attention.options.get("reduction") == 8 else 0.1}.get(attention.block, 0.0)
    return 0.7 - 0.4 * min(miss, 1) + bonus + 0.001 * seed - 0.05 / epoch


def best(trials: Sequence[Trial]) -> float:
    return max(trial.values[0] for trial in trials if trial.state == "complete")


@pytest.mark.parametrize("design", ["random", "tpe", "nsga2", "qmc"])
def test_every_design_trains_as_many_configurations_as_asked_for_and_the_baseline_first(design: str) -> None:
    trials = Simulation(searched(design, "{trials: 12}"), bowl).run().trials
    trained = [trial for trial in trials if trial.state == "complete"]
    assert len(trained) == 13
    assert trained[0].variant.name == "baseline"
    assert len({trial.variant.name for trial in trained}) == 13


@pytest.mark.parametrize("design", ["random", "tpe", "nsga2", "qmc"])
def test_a_factor_that_does_not_apply_is_in_no_variant(design: str) -> None:
    for trial in Simulation(searched(design, "{trials: 30}"), bowl).run().trials:
        attention = trial.variant.settings.model.attention
        assert ("attention.reduction" in trial.variant.factors) == (attention.block == "se")
        if design != "qmc" and trial.params is not None:
            assert ("attention.reduction" in trial.params) == (attention.block == "se")


def test_tpe_finds_the_planted_optimum_no_worse_than_random_draws_in_ten_seeds() -> None:
    found = {
        design: [
            best(Simulation(searched(design, f"{{trials: 40, seed: {seed}}}"), bowl).run().trials)
            for seed in range(10)
        ]
        for design in ("tpe", "random")
    }
    wins = sum(tpe >= random for tpe, random in zip(found["tpe"], found["random"], strict=True))
    assert sum(found["tpe"]) > sum(found["random"])
    assert wins >= 9  # by chance alone 9 or more of 10 have a probability of 0.011
    # the optimum is 0.7 + 0.2 - 0.05
    assert all(0.83 < value <= 0.85 for value in found["tpe"])


def macs(variant: Variant) -> dict[str, int | None]:
    """Accuracy and cost pull apart: a higher momentum is dearer."""
    return {"params": 1, "macs": int(1000 * variant.settings.train.momentum), "memory": 1}


def rising(variant: Variant, _seed: int, _epoch: int) -> float:
    """The front is accuracy = sqrt(momentum) at the learning rate 3e-3."""
    train = variant.settings.train
    return 0.9 * math.sqrt(train.momentum) * math.exp(-(math.log10(train.lr / GOOD_LR) ** 2))


def hypervolume(points: Sequence[tuple[float, float]]) -> float:
    """The area between a front (accuracy up, MACs down) and the corner (0, 1000), by its steps."""
    area, best_so_far = 0.0, 0.0
    for accuracy, cost in sorted(points, key=lambda point: (point[1], -point[0])):
        if accuracy > best_so_far:
            area += (accuracy - best_so_far) * (1000 - cost)
            best_so_far = accuracy
    return area


def test_the_hypervolume_of_two_steps_is_that_of_their_rectangles() -> None:
    assert hypervolume([(0.5, 200), (0.8, 600), (0.4, 700)]) == pytest.approx(0.5 * 800 + 0.3 * 400)


def test_the_hypervolume_of_nsga2_grows_over_its_generations() -> None:
    """Of the first and the last two generations alone: it grows by what was bred, not by more draws."""
    search = "{trials: 100, objectives: [accuracy, macs], population: 10, batch: 10}"
    last, first = [], []
    for seed in range(5):
        experiment = searched("nsga2", search.replace("{", f"{{seed: {seed}, ", 1))
        trials = Simulation(experiment, rising, price=macs).run().trials
        points = [trial.values for trial in trials if trial.state == "complete"]
        first.append(hypervolume(points[:20]))
        last.append(hypervolume(points[-20:]))
    assert sum(last) > 1.1 * sum(first)
    assert all(late > early for late, early in zip(last, first, strict=True))


@pytest.mark.parametrize("design", ["random", "tpe", "nsga2", "qmc"])
@pytest.mark.parametrize("pruner", ["none", "median", "successive_halving", "hyperband"])
def test_a_batch_gives_the_same_search_in_whichever_order_its_workers_end(design: str, pruner: str) -> None:
    population = ", population: 4" if design == "nsga2" else ""
    search = f"{{trials: 20, batch: 4, pruner: {pruner}{population}}}"
    experiment = searched(design, search, epochs=4, seeds=2)
    runs = [
        Simulation(experiment, bowl, workers=workers, order=order)
        for order, workers in [(0, 1), (1, 3), (2, 4)]
    ]
    trials = [list(names(run.run().trials)) for run in runs]
    assert trials[0] == trials[1] == trials[2]
    assert runs[0].known == runs[1].known == runs[2].known
    assert runs[0].asked == runs[1].asked == runs[2].asked


def test_without_a_batch_the_order_of_ends_changes_the_search() -> None:
    experiment = searched("tpe", "{trials: 30}", seeds=2)
    runs = [Simulation(experiment, bowl, workers=3, order=order) for order in (1, 2)]
    first, second = (list(names(run.run().trials)) for run in runs)
    assert first != second


@pytest.mark.parametrize("design", ["tpe", "nsga2", "qmc"])
@pytest.mark.parametrize("killed", [0, 1, 7, 18])
def test_a_search_in_batches_that_is_killed_ends_as_if_it_had_not(design: str, killed: int) -> None:
    experiment = searched(design, "{trials: 14, batch: 3, pruner: median}", epochs=3, seeds=2)
    quiet, broken = (Simulation(experiment, bowl, workers=2, order=order) for order in (0, 5))
    quiet.run()
    broken.run(kill_after=killed)
    again = broken.run()
    assert broken.asked == quiet.asked
    assert broken.known == quiet.known
    assert len(set(broken.trained)) == len(broken.trained)
    assert list(names(again.trials)) == list(names(quiet.start_over().trials))


@pytest.mark.parametrize("design", ["random", "tpe", "nsga2", "qmc"])
def test_a_search_without_batches_loses_nothing_when_it_is_killed(design: str) -> None:
    experiment = searched(design, "{trials: 20}", seeds=2)
    broken = Simulation(experiment, bowl, workers=3, order=3)
    broken.run(kill_after=33)
    before = list(broken.asked)
    trials = broken.run().trials
    assert broken.asked[: len(before)] == before
    assert len(set(broken.trained)) == len(broken.trained) == 42
    assert sum(trial.state == "complete" for trial in trials) == 21


def test_more_trials_go_on_where_the_search_ended() -> None:
    short = Simulation(searched("tpe", "{trials: 8, batch: 2}"), bowl)
    short.run()
    longer = Simulation(searched("tpe", "{trials: 16, batch: 2}"), bowl, known=short.known, asked=short.asked)
    trials = longer.run().trials
    assert len(longer.trained) == 8
    assert len(trials) == 17


def test_another_space_is_another_search_which_knows_what_fits() -> None:
    narrow = searched("tpe", "{trials: 12, batch: 2}")
    first = Simulation(narrow, bowl)
    first.run()
    wide = searched("tpe", "{trials: 4, batch: 2}", text=WIDE)
    second = Simulation(wide, bowl, known=dict(first.known), asked=list(first.asked))
    searcher = second.run()
    assert len(searcher.told()) == 5 + 13
    assert len(second.trained) == 4  # the baseline is known


def test_what_another_search_trained_is_told_with_the_limits_of_this_one() -> None:
    """Optuna takes a trial without limits for one that keeps them all."""
    first = Simulation(searched("tpe", "{trials: 20, batch: 2}"), bowl, price=macs)
    first.run()
    experiment = searched("tpe", "{trials: 4, batch: 2}", text=WIDE, constraints="[macs <= 900]")
    second = Simulation(experiment, bowl, price=macs, known=dict(first.known), asked=list(first.asked))
    told = second.run().told()[:21]
    excess = [trial.constraints["macs <= 900"] for trial in told]
    broken = [
        1000 * trial.params["train.momentum"] > 900 for trial in told if "train.momentum" in trial.params
    ]
    assert any(broken)
    assert sum(value > 0 for value in excess) == sum(broken)


def test_what_breaks_a_limit_is_not_trained_and_tpe_learns_to_keep_it() -> None:
    experiment = searched("tpe", "{trials: 40}", constraints="[macs <= 300]")
    experiment = experiment.model_copy(
        update={"train": experiment.train.model_copy(update={"momentum": 0.2})}
    )
    simulation = Simulation(experiment, bowl, price=macs)
    trials = simulation.run().trials
    rejected = [trial for trial in trials if trial.state == "rejected"]
    assert all(trial.variant.settings.train.momentum > 0.3 for trial in rejected)
    assert len(simulation.trained) == 41 == len(trials) - len(rejected)
    assert rejected[0].reason == f"macs is {rejected[0].costs['macs']}, but macs <= 300 is asked for"
    # 70 of 100 random draws break the limit; told of it, TPE asks for fewer and fewer of them
    late = trials[-20:]
    assert sum(trial.state == "rejected" for trial in late) <= 8
    told = {t.number: t for t in simulation.start_over().told()}
    assert all(told[trial.number].constraints["macs <= 300"] > 0 for trial in rejected)
    assert all(told[t.number].constraints["macs <= 300"] <= 0 for t in trials if t.state == "complete")


def test_a_baseline_that_breaks_a_limit_is_one_message() -> None:
    experiment = searched("tpe", "{trials: 4}", constraints="[macs <= 300]")
    with pytest.raises(BenchError, match="x: the baseline itself is not allowed: macs is 900"):
        Simulation(experiment, bowl, price=macs).run()


def test_a_configuration_that_was_asked_before_is_not_trained_again() -> None:
    experiment = searched("random", "{trials: 9}", text=FEW)
    simulation = Simulation(experiment, bowl)
    trials = simulation.run().trials
    assert len(simulation.trained) == len(set(simulation.trained)) == 3
    assert {trial.state for trial in trials} == {"complete", "repeated"}
    assert len(trials) == 20 * 9  # the space has no more; the search ends all the same


def test_a_configuration_that_fails_is_told_as_failed_and_its_other_seeds_are_not_run() -> None:
    experiment = searched("random", "{trials: 9}", seeds=3, text=FEW)
    simulation = Simulation(experiment, bowl, statuses={"attention=none": "diverged"})
    trials = {trial.variant.name: trial for trial in simulation.run().trials if trial.state != "repeated"}
    assert trials["attention=none"].state == "failed"
    assert trials["attention=none"].reason == "seed 0: planted"
    assert len(trials["attention=none"].records) == 1
    assert len(trials["attention=se"].records) == 3


def test_accuracy_is_the_mean_over_the_seeds_of_the_chosen_epochs() -> None:
    trials = Simulation(searched("random", "{trials: 3}", epochs=2, seeds=2), bowl).run().trials
    for trial in trials:
        by_hand = (bowl(trial.variant, 0, 2) + bowl(trial.variant, 1, 2)) / 2
        assert trial.values == (pytest.approx(by_hand),)


FEW = """
delta: 1 pp
design: {design}
baseline: {{stem: small}}
data: {{validation: 0.2}}
train: {{epochs: {epochs}}}
seeds: {seeds}
factors: {{attention: [self_attention, se, none]}}
constraints: {constraints}
search: {search}
"""

WIDE = """
delta: 1 pp
design: {design}
baseline: {{stem: small, width: 0.5}}
data: {{validation: 0.2}}
train: {{epochs: {epochs}, lr: 1e-3}}
seeds: {seeds}
factors:
  train.lr: [1e-6, 1.0, log]
  train.momentum: {{low: 0.0, high: 0.99}}
  attention: [self_attention, se, none]
  attention.reduction: {{levels: [4, 8, 16], when: {{attention: se}}}}
constraints: {constraints}
search: {search}
"""


def slow(variant: Variant) -> float:
    """Seconds: from 1 at momentum 0 to 2 at momentum 1; the baseline has 0.9 and takes 1.9."""
    return 1 + variant.settings.train.momentum


TIMED = "{trials: 12, batch: 3, objectives: [accuracy, latency]}"


def test_the_trials_of_a_batch_are_timed_together_beside_the_baseline_before_one_is_trained() -> None:
    simulation = Simulation(searched("random", TIMED), bowl, seconds=slow, workers=2, order=3)
    simulation.run()  # its clock asserts that nothing runs
    assert [len(session) for session in simulation.sessions] == [3, 4, 4, 4, 2]
    assert {session[0] for session in simulation.sessions} == {"baseline"}


def test_a_machine_that_drifts_between_batches_changes_no_latency() -> None:
    simulation = Simulation(searched("tpe", TIMED), bowl, seconds=slow, drift=1.5)
    for trial in simulation.run().trials:
        assert trial.values[1] == pytest.approx(1.5 * slow(trial.variant))
    assert simulation.asked[-1].timing is not None
    assert simulation.asked[-1].timing.baseline_s == pytest.approx(1.9 * 1.5**5)


@pytest.mark.parametrize(("limit", "most"), [("latency <= 1.7 s", 0.7), ("latency <= 0.8x", 0.52)])
def test_a_limit_on_latency_keeps_slow_configurations_from_training(limit: str, most: float) -> None:
    experiment = searched("tpe", "{trials: 30, batch: 3}", constraints=f"[{limit}]")
    fast = experiment.train.model_copy(update={"momentum": 0.9 if "x" in limit else 0.5})
    experiment = experiment.model_copy(update={"train": fast})
    simulation = Simulation(experiment, bowl, seconds=slow)
    trials = simulation.run().trials[1:]
    rejected = [trial for trial in trials if trial.state == "rejected"]
    kept = [trial for trial in trials if trial.state == "complete"]
    assert rejected
    assert all(trial.variant.settings.train.momentum > most for trial in rejected)
    assert all(trial.variant.settings.train.momentum <= most for trial in kept)
    assert len(simulation.trained) == 31 == 1 + len(kept)
    assert f"{limit} is asked for".replace("1.7 s", "1700 ms") in rejected[0].reason
    # most draws break the limit; told of it, TPE asks for fewer and fewer of them
    assert sum(trial.state == "rejected" for trial in trials[-15:]) <= 6
    told = {t.number: t for t in simulation.start_over().told()}
    name = limit.replace("1.7 s", "1700 ms")
    assert all(told[trial.number].constraints[name] > 0 for trial in rejected)
    assert all(told[trial.number].constraints[name] <= 0 for trial in kept)
    assert (told[0].constraints[name] > 0) == ("x" in limit)  # the baseline is no smaller than itself


def test_without_the_limit_the_same_configurations_are_trained() -> None:
    trials = Simulation(searched("tpe", TIMED), bowl, seconds=slow).run().trials
    assert any(trial.variant.settings.train.momentum > 0.7 for trial in trials[1:])
    assert {trial.state for trial in trials} == {"complete"}


def test_a_baseline_slower_than_a_limit_is_one_message() -> None:
    experiment = searched("tpe", "{trials: 4, batch: 2}", constraints="[latency <= 1.7 s]")
    with pytest.raises(BenchError, match="x: the baseline itself is not allowed: latency is 1900 ms, but"):
        Simulation(experiment, bowl, seconds=slow).run()


@pytest.mark.parametrize("design", ["tpe", "nsga2", "qmc"])
@pytest.mark.parametrize("killed", [0, 1, 5, 8])
def test_a_search_for_latency_that_is_killed_goes_on_without_timing_again(design: str, killed: int) -> None:
    experiment = searched(design, TIMED, constraints="[latency <= 0.9x]")
    quiet, broken = (
        Simulation(experiment, bowl, seconds=slow, workers=2, order=order, drift=1.1) for order in (0, 5)
    )
    quiet.run()
    broken.run(kill_after=killed)
    timed = len(broken.sessions)
    again = broken.run()
    assert latest(broken.asked) == latest(quiet.asked)
    assert broken.known == quiet.known
    assert broken.sessions == quiet.sessions
    assert len(broken.sessions) > timed or killed == 8
    assert list(names(again.trials)) == list(names(quiet.start_over().trials))


def test_a_search_that_is_killed_between_two_lines_times_those_alone_that_are_missing() -> None:
    simulation = Simulation(searched("tpe", TIMED), bowl, seconds=slow, drift=1.1)
    simulation.run(kill_after=0)
    simulation.start().next()
    lines = [asked for asked in simulation.asked if asked.timing is None]
    timed = [asked for asked in simulation.asked if asked.timing is not None]
    simulation.asked[:] = [*lines, *timed[:2]]
    simulation.sessions.clear()
    trials = simulation.run().trials
    assert simulation.sessions[0] == ["baseline", trials[2].variant.name]
    for trial in trials:
        assert trial.values[1] == pytest.approx(1.1 * slow(trial.variant))


def test_a_search_for_latency_does_not_go_on_on_another_machine() -> None:
    simulation = Simulation(searched("tpe", TIMED), bowl, seconds=slow)
    simulation.run(kill_after=2)
    simulation.run(kill_after=3)
    simulation.machine = "another"
    with pytest.raises(BenchError, match="timed on another machine"):
        simulation.run()


def test_a_repetition_of_what_is_too_slow_is_not_allowed_either() -> None:
    def attention(variant: Variant) -> float:
        return 2.0 if variant.settings.model.attention.block == "se" else 1.0

    experiment = searched("random", "{trials: 9, batch: 5}", text=FEW, constraints="[latency <= 1.5 s]")
    trials = Simulation(experiment, bowl, seconds=attention).run().trials
    states = {(trial.variant.name, trial.state) for trial in trials}
    assert states == {
        ("baseline", "complete"),
        ("baseline", "repeated"),
        ("attention=none", "complete"),
        ("attention=none", "repeated"),
        ("attention=se", "rejected"),
    }


def test_a_configuration_that_cannot_be_timed_is_not_trained() -> None:
    simulation = Simulation(searched("random", TIMED), bowl, seconds=slow)
    measure = simulation.time

    def refused(variants: Sequence[Variant]) -> list[Timing]:
        last = measure(variants)
        return [*last[:-1], replace(last[-1], ratio=None, reason="not measured (out of memory)")]

    simulation.time = refused  # type: ignore[method-assign]
    rejected = [trial for trial in simulation.run().trials if trial.state == "rejected"]
    assert {trial.reason for trial in rejected} == {"cannot be timed: not measured (out of memory)"}
    assert {trial.variant.name for trial in rejected} == {session[-1] for session in simulation.sessions}
