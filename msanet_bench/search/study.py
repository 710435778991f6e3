"""Optuna's study of a search, in memory: it can be made again at any time from what is on the disk.

Everything that it draws depends on the search's seed and the trial's number, and on what it was told before.
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    NSGAIISampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from msanet_bench.search.space import Params, Space
from msanet_bench.search_spec import DIRECTIONS, POPULATION, STARTUP, SearchSpec
from msanet_bench.spec import Design
from msanet_bench.streams import derive_seed

_MOST_SEED = 2**32


def new_study(
    search: SearchSpec, *, storage: BaseStorage | None = None, name: str | None = None
) -> optuna.Study:
    """A study with the directions of a search; in memory unless a storage is named."""
    logging.getLogger("optuna").setLevel(logging.WARNING)
    return optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        directions=[
            StudyDirection.MAXIMIZE if DIRECTIONS[objective] == "higher" else StudyDirection.MINIMIZE
            for objective in search.objectives
        ],
        sampler=RandomSampler(seed=0),
        # what is stopped early is decided when a run is handed out
        pruner=optuna.pruners.NopPruner(),
    )


class SearchStudy:
    """Asked for trials by their number, from 0 without a gap, and told each of them once."""

    def __init__(self, design: Design, search: SearchSpec, space: Space) -> None:
        self._design, self._search, self._space = design, search, space
        self._study = new_study(search)
        self._open: dict[int, optuna.Trial] = {}

    def ask(self, number: int) -> Params:
        """What to try next."""
        return self._ask(number, _sampler(self._design, self._search, number))

    def ask_for(self, number: int, params: Params) -> Params:
        """Open a trial with an answer that is known."""
        # not enqueued: Optuna asks the sampler for no part of such a trial, and NSGA-II counts it to no
        # generation
        sampler = _sampler(self._design, self._search, number)
        return self._ask(number, _experimental(lambda: PartialFixedSampler(dict(params), sampler)))

    def ask_again(self, number: int, params: Params) -> Params:
        """Open a trial with the answer that was given before the search was stopped.

        Where trials end in the order in which they were asked for, it is given again by itself; then the
        sequence of a sampler goes on too. Elsewhere the new answer is dropped.
        """
        if self.ask(number) == params:
            return params
        self.tell_failed(number)
        return self.ask_for(number, params)

    def limit(self, number: int, excess: Mapping[str, float]) -> None:
        """Say by how much each limit is broken, zero or less where it is kept; before the trial is told."""
        for name, value in excess.items():
            self._open[number].set_constraint(name, value)

    def tell_values(self, number: int, values: Sequence[float], curve: Sequence[float]) -> None:
        self._report(number, curve)
        self._study.tell(self._open.pop(number), list(values))

    def tell_stopped(self, number: int, curve: Sequence[float] = ()) -> None:
        """A trial without values of its own, of which something is known: how far it came, or its limits.

        TPE sorts these below all complete trials, those that break limits by how far they do. NSGA-II leaves
        them out of its populations. Told as failed, TPE would not see them at all and ask for the like again;
        told as complete, they would need values that nobody measured.
        """
        self._report(number, curve)
        self._study.tell(self._open.pop(number), state=TrialState.PRUNED)

    def tell_failed(self, number: int) -> None:
        self._study.tell(self._open.pop(number), state=TrialState.FAIL)

    def add(self, params: Params, values: Sequence[float], excess: Mapping[str, float]) -> None:
        """A trial of an earlier space, known before the first one here; `excess` as for `limit`."""
        distributions = {path: self._space.distributions[path] for path in params}
        self._study.add_trial(
            create_trial(
                params=dict(params),
                distributions=distributions,
                values=list(values),
                constraints=dict(excess),
            )
        )

    def trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _ask(self, number: int, sampler: BaseSampler) -> Params:
        self._study.sampler = sampler
        trial = self._open[number] = self._study.ask()
        return self._space.suggest(trial)

    def _report(self, number: int, curve: Sequence[float]) -> None:
        # Optuna has no intermediate values for several objectives
        if len(self._search.objectives) == 1:
            for epoch, accuracy in enumerate(curve, start=1):
                self._open[number].report(accuracy, epoch)


def _sampler(design: Design, search: SearchSpec, number: int) -> BaseSampler:
    """A new sampler for every trial: what it draws does not hang on how many were asked by this process."""
    seed = derive_seed(search.seed, "trial", number) % _MOST_SEED
    match design:
        case "random":
            return RandomSampler(seed=seed)
        case "tpe":
            # trials that run count as bad ones, so that those asked beside them go elsewhere
            return TPESampler(seed=seed, constant_liar=True, n_startup_trials=STARTUP)
        case "nsga2":
            return NSGAIISampler(seed=seed, population_size=search.population or POPULATION)
        case "qmc":
            # one sequence for all trials; the study counts how many of its points are taken
            sequence = derive_seed(search.seed, "sequence") % _MOST_SEED
            rest = RandomSampler(seed=seed)
            return _experimental(lambda: QMCSampler(seed=sequence, scramble=True, independent_sampler=rest))
    raise ValueError(f"no search: {design}")


def _experimental(make: Callable[[], BaseSampler]) -> BaseSampler:
    """A sampler whose interface Optuna may still change, which the tests would notice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return make()
