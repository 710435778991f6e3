"""What `train.auto` leaves to the machine: measured once a results folder, and remembered by its manifest."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from msanet_bench.amendments import History, read_history
from msanet_bench.cell import Job
from msanet_bench.checks import CheckedPlan
from msanet_bench.duration.choose import Chosen, Extent, choose, is_well
from msanet_bench.duration.contest import hold
from msanet_bench.duration.workers import measuring_workers
from msanet_bench.errors import BenchError
from msanet_bench.events import Phase
from msanet_bench.plan import Cell
from msanet_bench.spec import Experiment, TrainSpec
from msanet_bench.sweep.opening import Sweep
from msanet_bench.sweep.options import SweepOptions


class Settled(NamedTuple):
    """An experiment and its plan in which the machine's choices are made, and those choices."""

    experiment: Experiment
    plan: CheckedPlan
    choices: tuple[Chosen, ...]


def settle(sweep: Sweep, job: Callable[[Cell], Job]) -> Generator[Phase, None, Settled]:
    """The choices of this folder, measured now if they are not known.

    Raises:
        BenchError: several machines would choose each for itself.
    """
    _require_one_machine(sweep.options)
    known = remembered(sweep.experiment, read_history(sweep.results).choices)
    if known is None:
        yield Phase("choosing how to compute: " + ", ".join(sweep.experiment.train.auto))
        known = _measure(sweep, job(sweep.cells[0]))
    return with_choices(sweep.experiment, sweep.checked, known)


def remembered(experiment: Experiment, choices: Iterable[Mapping[str, Any]]) -> tuple[Chosen, ...] | None:
    """The choices for all that an experiment leaves open; None if one of them is not known."""
    known = {choice["key"]: Chosen(**choice) for choice in choices}
    if not set(experiment.train.auto) <= known.keys():
        return None
    return tuple(choice for key, choice in known.items() if key in experiment.train.auto)


def with_choices(experiment: Experiment, plan: CheckedPlan, choices: Sequence[Chosen]) -> Settled:
    values: dict[str, Any] = {"auto": (), **{choice.key: choice.value for choice in choices}}

    def chosen(train: TrainSpec) -> TrainSpec:
        return train.model_copy(update=values)

    variants = tuple(
        replace(v, settings=v.settings.model_copy(update={"train": chosen(v.settings.train)}))
        for v in plan.variants
    )
    note = f"the machine chose how to compute, by steps taken in turns: {'; '.join(map(str, choices))}."
    return Settled(
        experiment.model_copy(update={"train": chosen(experiment.train)}),
        replace(plan, variants=variants, notes=(*plan.notes, note)),
        tuple(choices),
    )


def as_chosen(experiment: Experiment, plan: CheckedPlan, history: History) -> tuple[Experiment, CheckedPlan]:
    """What a plan is where the choices are remembered; elsewhere the plain way, and a note that says so."""
    if not experiment.train.auto:
        return experiment, plan
    known = remembered(experiment, history.choices)
    if known is not None:
        settled = with_choices(experiment, plan, known)
        return settled.experiment, settled.plan
    note = f"how to compute is chosen when the sweep begins ({', '.join(experiment.train.auto)})."
    return experiment, replace(plan, notes=(*plan.notes, note))


def _require_one_machine(options: SweepOptions) -> None:
    several = {"--executor ray": options.executor == "ray", "--shard": options.shard is not None}
    for option, is_used in several.items():
        if is_used:
            raise BenchError(
                f"{option}: not with `train.auto`, since all machines must compute alike. Run a sweep on one "
                "of them, and write what its manifest says under `choices` into the experiment."
            )


def _measure(sweep: Sweep, job: Job) -> tuple[Chosen, ...]:
    slots = sweep.devices.slots(sweep.options.workers)
    search, seeds = sweep.experiment.search, len(sweep.seeds)
    variants = len(sweep.plan.variants) if search is None else 1 + search.trials
    executor = measuring_workers(hold, is_well, slots, sweep.experiment.plugins, sweep.options.plugin_folder)
    try:
        return tuple(choose(job, executor, len(slots), Extent(variants, variants * seeds)))
    except BaseException:
        executor.cancel()
        raise
    finally:
        executor.close()
