"""The study of a search on a disk or a server, for people to look at: a copy, and never asked.

It can be deleted at any time: what has been told stands in it again after the next start.
"""

from optuna.trial import FrozenTrial, TrialState, create_trial

from msanet_bench.search.ledger import quieten
from msanet_bench.search.objectives import excess, mean_curve, validation_curve
from msanet_bench.search.space import Space
from msanet_bench.search.storage import name_objectives, open_storage, telling
from msanet_bench.search.study import new_study
from msanet_bench.search.trials import Trial
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment

NUMBER, VARIANT = "trial", "variant"

_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "rejected": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class Mirror:
    """Hears every trial that ended.

    Raises:
        StorageLost: the storage is damaged, away or cannot be written.
    """

    def __init__(self, storage: str, name: str, experiment: Experiment, space: Space) -> None:
        self._storage, self._experiment, self._space = storage, experiment, space
        self._search = experiment.search or SearchSpec()
        quieten()
        opened = open_storage(storage)
        with telling(storage):
            self._study = new_study(self._search, storage=opened, name=name)
            name_objectives(self._study, self._search.objectives)
            self._known = {
                trial.user_attrs.get(NUMBER): trial.state for trial in self._study.get_trials(deepcopy=False)
            }

    def hear(self, trial: Trial) -> None:
        """Add a trial, unless it is there; one that failed and was tried again stands there twice."""
        if trial.state not in _STATES or trial.params is None:
            return
        state = _STATES[trial.state]
        if (
            self._known.get(trial.number) not in {None, TrialState.FAIL}
            or self._known.get(trial.number) == state
        ):
            return
        with telling(self._storage):
            self._study.add_trial(self._frozen(trial))
        self._known[trial.number] = state

    def _frozen(self, trial: Trial) -> FrozenTrial:
        params = dict(trial.params or {})
        limits = excess(self._experiment.constraints, trial.costs) if trial.costs else {}
        # the dashboard reads limits from user attributes
        attributes = {f"constraint.{name}": value for name, value in limits.items()}
        return create_trial(
            state=_STATES[trial.state],
            values=list(trial.values) or None,
            params=params,
            distributions={path: self._space.distributions[path] for path in params},
            constraints=limits,
            intermediate_values=self._curve(trial),
            user_attrs={
                NUMBER: trial.number,
                VARIANT: trial.variant.name,
                "reason": trial.reason,
                **attributes,
            },
        )

    def _curve(self, trial: Trial) -> dict[int, float]:
        """The mean over the seeds; of a stopped trial that of the seed which was stopped."""
        if len(self._search.objectives) > 1 or trial.state not in {"complete", "pruned"}:
            return {}
        stopped = trial.state == "pruned" and trial.records
        curve = validation_curve(trial.records[-1]) if stopped else mean_curve(trial.records)
        return dict(enumerate(curve, start=1))
