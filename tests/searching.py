"""Searches without training: a plain function stands for it, and workers end in any order."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

from catalogs import own_catalog
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import Variant, cell_key
from msanet_bench.records import Record
from msanet_bench.search import Asked, Costs, Searcher, Sources, Timing, Trial, Turn, latest
from msanet_bench.spec import Experiment

CATALOG = own_catalog()

SPACE = """
delta: 1 pp
design: {design}
baseline: {{stem: small, width: 0.5}}
data: {{validation: 0.2}}
train: {{epochs: {epochs}, lr: 1e-3}}
seeds: {seeds}
factors:
  train.lr: [1e-5, 1e-1, log]
  train.momentum: {{low: 0.0, high: 0.99}}
  attention: [self_attention, se, none]
  attention.reduction: {{levels: [4, 8, 16], when: {{attention: se}}}}
constraints: {constraints}
search: {search}
"""

Accuracy = Callable[[Variant, int, int], float]


def searched(
    design: str, search: str, *, epochs: int = 1, seeds: int = 1, constraints: str = "[]", text: str = SPACE
) -> Experiment:
    filled = text.format(design=design, search=search, epochs=epochs, seeds=seeds, constraints=constraints)
    return parse_experiment(filled, source="x.yaml", name="x", catalog=CATALOG)


def free(_: Variant) -> Costs:
    return {"params": 1, "macs": 1, "memory": 1}


@dataclass
class Simulation:
    """A search that is driven to its end, or killed; what is on the disk stays in `known` and `asked`."""

    experiment: Experiment
    accuracy: Accuracy
    price: Callable[[Variant], Costs] = free
    seconds: Callable[[Variant], float] = lambda _: 1.0
    workers: int = 1
    order: int = 0
    statuses: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, Record] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    heard: list[Trial] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)
    sessions: list[list[str]] = field(default_factory=list)
    running: list[Turn] = field(default_factory=list)
    drift: float = 1.0
    machine: str = "machine"

    def start(self) -> Searcher:
        sources = Sources(
            key=lambda variant, seed: cell_key(variant.settings, seed, "data", CATALOG),
            price=self.price,
            known=dict(self.known),
            time=self.time,
            asked=latest(self.asked),
            write=self.asked.append,
            hear=self.heard.append,
            code="code",
        )
        return Searcher(self.experiment, CATALOG, sources)

    def run(self, *, kill_after: int | None = None) -> Searcher:
        """Train with so many workers, which end in an order drawn from `order`; perhaps stop all at once."""
        searcher, source = self.start(), random.Random(self.order)  # noqa: S311
        running = self.running = []
        while kill_after is None or len(self.trained) < kill_after:
            while len(running) < self.workers and (turn := searcher.next()) is not None:
                running.append(turn)
            if not running:
                break
            turn = running.pop(source.randrange(len(running)))
            record = self.known[turn.key] = self.record(turn)
            self.trained.append(turn.key)
            searcher.done(turn.trial.number, record)
        return searcher

    def start_over(self) -> Searcher:
        """The same search again, from what is known; nothing is trained."""
        searcher = self.start()
        turn = searcher.next()
        if turn is not None:
            raise AssertionError(f"not known: {turn.trial.variant.name} seed {turn.seed}")
        return searcher

    def time(self, variants: Sequence[Variant]) -> list[Timing]:
        """A session on a machine that takes `drift` times as long from one to the next."""
        assert not self.running, "timed while something trains"
        self.sessions.append([variant.name for variant in variants])
        baseline_s = self.seconds(variants[0]) * self.drift ** len(self.sessions)
        ratios = [self.seconds(variant) / self.seconds(variants[0]) for variant in variants]
        return [Timing(baseline_s, r, 0.9 * r, 1.1 * r, "", "cpu", self.machine) for r in ratios]

    def record(self, turn: Turn) -> Record:
        variant, seed = turn.trial.variant, turn.seed
        status = self.statuses.get(variant.name, "ok")
        curve, reason = [], "" if status == "ok" else "planted"
        for epoch in range(1, self.experiment.train.epochs + 1) if status == "ok" else ():
            curve.append({"epoch": epoch, "validation_accuracy": self.accuracy(variant, seed, epoch)})
            reason = "" if turn.stops is None else turn.stops.reason(epochs(curve))
            if reason:
                status = "pruned"
                break
        return Record(
            key=turn.key,
            variant=variant.name,
            factors=variant.factors,
            seed=seed,
            replicate=0,
            status=status,
            reason=reason,
            curve=curve,
            provenance={"chosen_epoch": len(curve)},
        )


def epochs(curve: Sequence[Mapping[str, float]]) -> list[SimpleNamespace]:
    return [SimpleNamespace(**row) for row in curve]


def names(trials: Sequence[Trial]) -> Iterator[str]:
    return (f"{trial.number}: {trial.variant.name}: {trial.state}" for trial in trials)
