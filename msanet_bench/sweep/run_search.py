"""The phases of a search: what is on the disk, training, counting what was chosen, timing what is best."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from msanet_bench.analysis.pareto import on_front
from msanet_bench.cell import THREADS_PER_WORKER, Job
from msanet_bench.checks import CheckedPlan, Exclusion
from msanet_bench.events import Ended, Event, Phase, Started, Stopped
from msanet_bench.exports import export_records, write_manifest
from msanet_bench.journal import final_records
from msanet_bench.plan import Cell
from msanet_bench.profile import SCHEMA, counting, profile_text, read_profile
from msanet_bench.records import FINE, replace_text
from msanet_bench.running import forget_running
from msanet_bench.search import Trial, TrialFile
from msanet_bench.search_spec import DIRECTIONS, SearchSpec
from msanet_bench.source_digest import cost_digest
from msanet_bench.spec import Experiment
from msanet_bench.sweep.opening import Sweep
from msanet_bench.sweep.search import Count, SearchParts, SearchWork, trained, trial_json
from msanet_bench.sweep.trial_latency import time_beside_baseline
from msanet_bench.sweep.work import Work
from msanet_bench.units import Measure


@dataclass(frozen=True, slots=True)
class Hands:
    """What the sweep around a search does for it.

    Attributes:
        study: What its studies are called, before the search is told apart from others of the folder.
        notes: What a reader should know of what the journal holds, by how much of it was torn.
        fits: Whether a cell would end in time.
        train: Runs work until none is left.
    """

    sweep: Sweep
    study: str
    workers: int
    notes: Callable[[int], Iterable[str]]
    job: Callable[[Cell, Mapping[str, Measure]], Job]
    fits: Callable[[Job], bool]
    train: Callable[[Work], Iterator[Event]]


class Searched(NamedTuple):
    """What is to be timed, the baseline first, and how the search ended."""

    chosen: CheckedPlan
    ended: Ended


def run_search(hands: Hands) -> Generator[Event, None, Searched]:
    """Ask, train and tell until the trials are done.

    Raises:
        BenchError: the baseline breaks a limit, or what is on the disk cannot be read.
    """
    sweep = hands.sweep
    file = TrialFile(sweep.results)
    asked = file.read()
    torn = sweep.journal.repair()
    file.repair()
    yield _started(hands, torn)
    options, is_stopped = sweep.options, False
    with counting(sweep.experiment.plugins, options.plugin_folder, options.limits) as count:
        work = SearchWork(_parts(hands, count), file, asked, sweep.storage, hands.study)
        try:
            yield Phase(f"searching by {sweep.experiment.design}")
            for event in hands.train(work):
                is_stopped = is_stopped or isinstance(event, Stopped)
                yield event
            if not (is_stopped or work.is_over) and (unasked := _unasked_trials(sweep, work.trials)):
                yield Stopped(
                    f"{unasked} of the trials were never found: the space or the limits hold no more."
                )
        finally:
            forget_running(sweep.results)
            _save(sweep, work.trials, work.cells)
            export_records(sweep.results, work.cells, sweep.journal.read())
        yield Phase("counting parameters and operations")
        _write_profile(sweep, work.trials, count)
    best = [trial.variant for trial in front(sweep.experiment, work.trials)]
    baseline = [trial.variant for trial in work.trials[:1] if trial.variant not in best]
    return Searched(sweep.plan.of([*baseline, *best]), _ended(sweep, work, is_stopped=is_stopped))


def front(experiment: Experiment, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that are complete and allowed and that no such trial beats in every objective."""
    search = experiment.search or SearchSpec()
    is_allowed = all(limit.allows_the_baseline for limit in experiment.constraints)
    complete = [trial for trial in trials if trial.state == "complete" and (trial.number or is_allowed)]
    is_higher = [DIRECTIONS[name] == "higher" for name in search.objectives]
    is_on = on_front([trial.values for trial in complete], is_higher)
    return [trial for trial, is_one in zip(complete, is_on, strict=True) if is_one]


def _started(hands: Hands, torn: int) -> Started:
    experiment = hands.sweep.experiment
    variants, seeds = 1 + (experiment.search or SearchSpec()).trials, len(experiment.seeds)
    notes = (*hands.sweep.plan.notes, *hands.notes(torn))
    done = len(hands.sweep.cells) - len(hands.sweep.missing)
    return Started(variants, seeds, variants * seeds, done, hands.workers, notes)


def _parts(hands: Hands, count: Count) -> SearchParts:
    sweep = hands.sweep
    missing = {cell.key for cell in sweep.missing}
    codes = {sweep.code, *sweep.history.accepted_code}
    return SearchParts(
        experiment=sweep.experiment,
        plan=sweep.plan,
        known={
            key: record
            for key, record in sweep.records.items()
            if key not in missing
            and record.status not in sweep.options.retry
            and record.provenance.get("code") in codes
        },
        count=count,
        time=partial(time_beside_baseline, sweep.plan, sweep.devices.kind),
        job=hands.job,
        fits=hands.fits,
        save=lambda trials, cells: _save(sweep, trials, cells),
        cost_code=_cost_code(sweep),
    )


def _save(sweep: Sweep, trials: Sequence[Trial], cells: Sequence[Cell]) -> None:
    """The manifest as far as the search has come: `status` and `report` read it at any time."""
    plan = sweep.plan.of([trial.variant for trial in trained(trials)])
    rejected = {trial.variant.name: trial.reason for trial in trials if trial.state == "rejected"}
    excluded = tuple(Exclusion(*pair) for pair in rejected.items())
    write_manifest(
        sweep.results,
        sweep.experiment,
        replace(plan, excluded=excluded),
        cells,
        sweep.history,
        threads=THREADS_PER_WORKER,
        trials=[trial_json(trial) for trial in trials],
    )


def _write_profile(sweep: Sweep, trials: Sequence[Trial], count: Count) -> None:
    """The costs of all that was trained; what an earlier run counted is taken from there."""
    shape, code = sweep.plan.shape, _cost_code(sweep)
    known = read_profile(sweep.results, code)
    variants = [trial.variant for trial in trained(trials)]
    counted = {
        v.name: known[v.name] if v.name in known else count(v, shape(v.settings.data)).to_json()
        for v in variants
    }
    content = {"schema": SCHEMA, "code": code, "variants": counted}
    replace_text(sweep.results / "profile.json", profile_text(content))


def _cost_code(sweep: Sweep) -> str:
    return cost_digest(sweep.experiment.plugins, sweep.options.plugin_folder)


def _ended(sweep: Sweep, work: SearchWork, *, is_stopped: bool) -> Ended:
    final = final_records(sweep.journal.read())
    records = [final[cell.key] for cell in work.cells if cell.key in final]
    not_ok = sum(record.status not in FINE for record in records)
    cells = len(work.cells) + (_unasked(sweep, work.trials) if is_stopped or work.is_over else 0)
    return Ended(cells, not_ok, left=cells - len(records))


def _unasked(sweep: Sweep, trials: Sequence[Trial]) -> int:
    """The cells of trials that a search would have asked for yet."""
    return _unasked_trials(sweep, trials) * len(sweep.experiment.seeds)


def _unasked_trials(sweep: Sweep, trials: Sequence[Trial]) -> int:
    variants = 1 + (sweep.experiment.search or SearchSpec()).trials
    return max(0, variants - len(trained(trials)))
