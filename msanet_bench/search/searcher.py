"""A search: which cell comes next, and what is told to Optuna when.

Without `batch` a new trial is asked for whenever a worker is free. With it, so many are asked for before any
of them is told, and they are told in their order, whichever ended first: the search is the same every time.
A trial's seeds run one after the other, so that those of a stopped one are saved. Where latency is asked for,
the trials of a batch are timed together before the first of them is handed out; nothing runs at that time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial

from msanet_bench.plan import BASELINE, Catalog, Variant, baseline_settings, make_variant
from msanet_bench.records import Record
from msanet_bench.search import pruning
from msanet_bench.search.judging import as_before, judged, judged_by_time
from msanet_bench.search.objectives import excess, mean_curve, validation_curve, values
from msanet_bench.search.space import Params
from msanet_bench.search.studies import search_id, space_of
from msanet_bench.search.study import SearchStudy
from msanet_bench.search.timing import Time, is_timed, newly_timed
from msanet_bench.search.trials import Asked, Costs, Trial, asked_line
from msanet_bench.search_spec import ASKED_A_TRIAL, SearchSpec
from msanet_bench.spec import Experiment
from msanet_bench.train.stop import Stops


@dataclass(frozen=True, slots=True)
class Turn:
    """The next cell of a trial, and what it must reach to go on; no stops where it runs to its end."""

    trial: Trial
    seed: int
    key: str
    stops: Stops | None


@dataclass(frozen=True, slots=True)
class Sources:
    """What a search is given by those around it.

    Attributes:
        key: The identity of a variant's cell with a seed.
        price: What a variant costs without training. Raises BenchError if it cannot be built.
        time: How long variants take, the first of them being the baseline.
        known: Cells that have been trained before, by key.
        asked: What this search asked for before it was stopped, in order.
        write: Called with every new question before its first cell is handed out.
        hear: Called with every trial when Optuna has been told how it ended.
        code: The digest of the code that counts costs.
    """

    key: Callable[[Variant, int], str]
    price: Callable[[Variant], Costs]
    time: Time
    known: Mapping[str, Record]
    asked: Sequence[Asked]
    write: Callable[[Asked], None]
    hear: Callable[[Trial], None]
    code: str


class Searcher:
    """Hands out cells one by one and hears how they ended."""

    def __init__(self, experiment: Experiment, catalog: Catalog, sources: Sources) -> None:
        self._experiment, self._sources = experiment, sources
        self._search = experiment.search or SearchSpec()
        self._space = space_of(experiment, catalog)
        self._study = SearchStudy(experiment.design, self._search, self._space)
        self._baseline = make_variant(baseline_settings(experiment), experiment.factors, {}, catalog)
        self.id = search_id(experiment, self._space)
        self._asked = [asked for asked in sources.asked if asked.study == self.id]
        self._trials: dict[int, Trial] = {}
        self._first: dict[str, int] = {}
        self._running: set[int] = set()
        self._batch: list[int] = []
        self._is_timed = is_timed(experiment)
        self._untimed: list[int] = []
        self._timings = {
            asked.number: asked.timing
            for asked in self._asked
            if asked.timing is not None and asked.code == sources.code
        }
        for earlier in self._from_elsewhere():
            self._study.add(*earlier)

    @property
    def trials(self) -> list[Trial]:
        return list(self._trials.values())

    def told(self) -> list[FrozenTrial]:
        """What Optuna knows."""
        return self._study.trials()

    def next(self) -> Turn | None:
        """The next cell; None if none is to be begun before one that runs has ended."""
        while True:
            turn = None if self._untimed else self._waiting()
            if turn is not None:
                return turn
            if not self._may_ask():
                if self._untimed:
                    self._time()
                    continue
                self._tell_what_is_settled()
                return None
            self._ask()

    def done(self, number: int, record: Record) -> None:
        self._running.discard(number)
        self._hear(self._trials[number], record)

    def _waiting(self) -> Turn | None:
        """The next cell of a trial that was begun; what is known already is heard at once."""
        for number in list(self._trials):
            while (trial := self._trials[number]).state == "open" and number not in self._running:
                seed = self._experiment.seeds[len(trial.records)]
                key = self._sources.key(trial.variant, seed)
                known = self._sources.known.get(key)
                if known is None or (known.status == "pruned" and not self._may_stop(number)):
                    self._running.add(number)
                    return Turn(trial, seed, key, self._stops(number, seed))
                self._hear(trial, known)
        return None

    def _may_stop(self, number: int) -> bool:
        return self._search.pruner is not None and number > 0

    def _may_ask(self) -> bool:
        trained = sum(trial.state not in {"rejected", "repeated"} for trial in self._trials.values())
        if len(self._trials) >= ASKED_A_TRIAL * self._search.trials or trained > self._search.trials:
            return False
        if self._is_timed and self._batch and not self._untimed:
            return False  # the next would be timed while those of this batch are trained
        return self._search.batch is None or len(self._batch) < self._search.batch

    def _ask(self) -> None:
        number = len(self._trials)
        before = self._asked[number] if number < len(self._asked) else None
        trial = self._new_baseline() if number == 0 else self._new(number, before)
        trial = self._judged(trial, before)
        self._trials[number] = trial
        if before is None:
            self._sources.write(asked_line(trial, self.id, self._sources.code))
        if trial.params is not None and trial.costs:
            self._study.limit(number, excess(self._experiment.constraints, trial.costs))
        if trial.state == "open":
            self._batch.append(number)
            self._untimed += [number] if self._is_timed else []
        else:
            self._tell(trial)

    def _time(self) -> None:
        """Time what was asked for together, and judge it and its repetitions by that."""
        waiting, self._untimed = self._untimed, []
        variants = {number: self._trials[number].variant for number in waiting}
        self._timings |= newly_timed(variants, self._timings, self._baseline, self._sources.time)
        for trial in self.trials[waiting[0] :]:
            if trial.state == "open":
                timing = self._timings[trial.number]
                self._note(judged_by_time(trial, self._experiment, timing, self._timings[0].baseline_s))
            elif trial.state == "repeated" and not trial.is_told:
                self._note(as_before(trial, self._trials[self._first[self._identity(trial.variant)]]))
        self._tell_what_is_settled()

    def _note(self, trial: Trial) -> None:
        """Keep a trial that was timed, on the disk too."""
        self._trials[trial.number] = trial
        line = asked_line(trial, self.id, self._sources.code)
        before = self._asked[trial.number] if trial.number < len(self._asked) else None
        if before is None or (before.timing, before.rejected) != (line.timing, line.rejected):
            self._sources.write(line)
        if trial.params is not None:
            limits = [limit for limit in self._experiment.constraints if limit.is_timed]
            self._study.limit(trial.number, excess(limits, trial.costs))

    def _new_baseline(self) -> Trial:
        params = self._space.params({k: str(v) for k, v in self._baseline.factors.items()})
        if params is not None and self._space.variant(params).name == BASELINE:
            params = self._study.ask_for(0, params)
        return Trial(0, params, self._baseline, {})

    def _new(self, number: int, before: Asked | None) -> Trial:
        given = None if before is None else before.params
        params = self._study.ask(number) if given is None else self._study.ask_again(number, given)
        return Trial(number, params, self._space.variant(params), {})

    def _judged(self, trial: Trial, before: Asked | None) -> Trial:
        first = self._first.setdefault(self._identity(trial.variant), trial.number)
        if first < trial.number:
            return as_before(trial, self._trials[first])
        is_known = before is not None and before.code == self._sources.code
        return judged(trial, self._experiment, self._sources.price, before if is_known else None)

    def _identity(self, variant: Variant) -> str:
        return self._sources.key(variant, self._experiment.seeds[0])

    def _stops(self, number: int, seed: int) -> Stops | None:
        if self._search.pruner is None or number == 0:
            return None
        place = self._experiment.seeds.index(seed)
        runs = [
            pruning.Run(trial.number, validation_curve(record), is_complete=record.status == "ok")
            for trial in self._trials.values()
            if trial.state != "repeated" and (trial.is_told or self._search.batch is None)
            for record in trial.records[place : place + 1]
            if record.status in {"ok", "pruned"}
        ]
        epochs = self._experiment.train.epochs
        return pruning.stops(self._search.pruner, study=self.id, number=number, epochs=epochs, runs=runs)

    def _hear(self, trial: Trial, record: Record) -> None:
        heard = replace(trial, records=(*trial.records, record))
        if record.status == "pruned":
            heard = replace(heard, state="pruned", reason=f"seed {record.seed}: {record.reason}")
        elif record.status != "ok":
            heard = replace(heard, state="failed", reason=f"seed {record.seed}: {record.reason}")
        elif len(heard.records) == len(self._experiment.seeds):
            known = values(self._search.objectives, heard.records, heard.costs)
            heard = replace(heard, state="complete", values=known)
        self._trials[trial.number] = heard
        self._tell_what_is_settled()

    def _tell_what_is_settled(self) -> None:
        """Trials that ended, in their order; those of a batch once all of it have ended."""
        if self._search.batch is not None:
            is_open = any(self._trials[number].state == "open" for number in self._batch)
            if is_open or (len(self._batch) < self._search.batch and self._may_ask()):
                return
            self._batch = []
        for number in [number for number, trial in self._trials.items() if not trial.is_told]:
            self._tell(self._trials[number])

    def _tell(self, trial: Trial) -> None:
        if trial.state == "repeated":
            original = self._trials[self._first[self._identity(trial.variant)]]
            if not original.is_told:
                return
            told = replace(original, number=trial.number, params=trial.params)
        else:
            told = trial
        if told.state == "open":
            return
        if told.params is not None:
            self._tell_optuna(told)
        self._trials[trial.number] = replace(trial, is_told=True)
        self._sources.hear(self._trials[trial.number])

    def _tell_optuna(self, trial: Trial) -> None:
        match trial.state:
            case "complete":
                self._study.tell_values(trial.number, trial.values, mean_curve(trial.records))
            case "pruned":
                self._study.tell_stopped(trial.number, validation_curve(trial.records[-1]))
            case "rejected" if trial.costs:
                self._study.tell_stopped(trial.number)
            case _:
                self._study.tell_failed(trial.number)

    def _from_elsewhere(self) -> Iterator[tuple[Params, tuple[float, ...], dict[str, float]]]:
        """What earlier spaces of this folder found out that has a place in this one, and today's limits."""
        for asked in self._sources.asked:
            is_other = asked.study == self.id or asked.code != self._sources.code
            if is_other or asked.params is None or not self._space.holds(asked.params):
                continue
            variant = self._space.variant(asked.params)
            records = [self._sources.known.get(self._sources.key(variant, s)) for s in self._experiment.seeds]
            good = [record for record in records if record is not None and record.status == "ok"]
            # times there are relative to the baseline of that search
            if len(good) == len(records) and set(self._search.objectives) <= {"accuracy", *asked.costs}:
                limits = excess(self._experiment.constraints, asked.costs)
                yield asked.params, values(self._search.objectives, good, asked.costs), limits
