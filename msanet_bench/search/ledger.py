"""Optuna: asked for every cell, told every outcome. Its study is memory and a view, never the truth.

The study can be deleted at any time: the next sweep tells a new one what the journal knows.
"""

import logging
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from msanet_bench.search.storage import name_objectives, open_storage, telling
from msanet_bench.spec import digest

CELL_KEY = "cell_key"


def is_worth_printing(record: logging.LogRecord) -> bool:
    """False for SQLAlchemy's traceback of a query that Ctrl-C broke off: the user knows, nothing is lost."""
    error = record.exc_info[1] if record.exc_info else None
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is None or not record.name.startswith("sqlalchemy.")


def quieten() -> None:
    """Keep what Optuna and SQLAlchemy say to themselves from the terminal."""
    logging.getLogger("optuna").setLevel(logging.WARNING)
    if logging.lastResort is not None:
        logging.lastResort.addFilter(is_worth_printing)


class Ledger:
    """One Optuna study for one space of variants and seeds; candidates of tuning stand for seeds there.

    A changed space gets a study of its own, since Optuna refuses changed choices; what is already
    known is then told again.

    Raises:
        StorageLost: the storage is damaged, away or cannot be written.
    """

    def __init__(
        self, storage: str, name: str, variants: Sequence[str], seeds: Sequence[int], second: str = "seed"
    ) -> None:
        quieten()
        self._second = second
        space = {"variant": list(variants), second: list(seeds)}
        self._distributions: dict[str, BaseDistribution] = {
            "variant": CategoricalDistribution(tuple(variants)),
            second: CategoricalDistribution(tuple(seeds)),
        }
        self._storage = storage
        opened = open_storage(storage)
        with telling(storage):
            # Finite designs are enumerated by the plan and enqueued one at a time: the sampler never chooses.
            self._study = optuna.create_study(
                storage=opened,
                study_name=f"{name}-{digest(space)}",
                sampler=optuna.samplers.RandomSampler(seed=0),
                direction="maximize",
                load_if_exists=True,
            )
            name_objectives(self._study, ["accuracy"])

    def reconcile(self, known: Mapping[str, tuple[str, int, float | None]]) -> None:
        """Make the study agree with the journal: cell key -> (variant, seed, accuracy or None if it failed).

        Trials that a killed sweep left running are told what the journal knows of their cell, or failure.
        Cells that are about to be run again are not to be among the known.

        Raises:
            StorageLost: as of the class.
        """
        with telling(self._storage):
            told = {key for trial in self._trials() if (key := self._settled(trial, known)) is not None}
            for key, (variant, seed, accuracy) in known.items():
                if key not in told:
                    self._add(key, variant, seed, accuracy)

    def ask(self, key: str, variant: str, seed: int) -> int:
        """Open a trial for one cell; its number.

        Raises:
            StorageLost: as of the class.
        """
        params = {"variant": variant, self._second: seed}
        with telling(self._storage):
            self._study.enqueue_trial(params, user_attrs={CELL_KEY: key})
            # A sweep that was killed between enqueueing and asking has left its cell in the queue.
            while (trial := self._study.ask(self._distributions)).params != params:
                self._study.tell(trial, state=TrialState.FAIL)
        return trial.number

    def tell(self, number: int, accuracy: float | None) -> None:
        """Close a trial with its accuracy, or as failed.

        Raises:
            StorageLost: as of the class.
        """
        with telling(self._storage):
            if accuracy is None:
                self._study.tell(number, state=TrialState.FAIL)
            else:
                self._study.tell(number, accuracy)

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _settled(self, trial: FrozenTrial, known: Mapping[str, tuple[str, int, float | None]]) -> str | None:
        """The key of the cell if its trial says what is known of it; one left running does so from now on."""
        key = trial.user_attrs.get(CELL_KEY, "")
        accuracy = known[key][2] if key in known else None
        if trial.state == TrialState.RUNNING:
            self.tell(trial.number, accuracy)
        elif trial.state == TrialState.FAIL and accuracy is not None:
            return None  # a later try went well
        return key if key in known else None

    def _add(self, key: str, variant: str, seed: int, accuracy: float | None) -> None:
        state = TrialState.FAIL if accuracy is None else TrialState.COMPLETE
        self._study.add_trial(
            create_trial(
                state=state,
                value=accuracy,
                params={"variant": variant, self._second: seed},
                distributions=self._distributions,
                user_attrs={CELL_KEY: key},
            )
        )
