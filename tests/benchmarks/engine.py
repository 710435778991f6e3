"""What the engine costs beside training: a cell in a plain loop, in warm children, in a fresh child each.

    python tests/benchmarks/engine.py                  # seconds a cell, three ways in turn
    python tests/benchmarks/engine.py scale [CELLS]    # 10,000 cells that do nothing, on two workers

The plain loop is what one writes without a harness: one process loads the data once, then builds, trains and
evaluates network after network. The sweep's loop runs the same cells with executor, journal and Optuna. The
three take turns, round after round, one cell at a time on one thread, so that a busy machine slows all of
them; a price is the median over rounds of a difference. The start of the fork server is not counted, since it
comes once a sweep; that of the warm child is, though it comes once too: it falls on a few cells here.

At scale, the promise is that no cell is dearer at the end than twice the start: medians of the first and of
the last tenth. A number out of its range is marked, and the exit code is 1.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil
import torch

from msanet_bench.cell import Job, failure, start_worker
from msanet_bench.checks import catalog, check_plan, load_experiment
from msanet_bench.data import load, prepare_all, split
from msanet_bench.events import Finished
from msanet_bench.executors import PRELOAD, LocalExecutor
from msanet_bench.journal import Attempt, Journal
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.node import Answer, Task, job_of, run_task
from msanet_bench.plan import plan_cells
from msanet_bench.running import log_file, write_running
from msanet_bench.search import Ledger, storage_url
from msanet_bench.streams import stream_seed
from msanet_bench.sweep.train import Policy, train
from msanet_bench.sweep.work import FinitePlan
from msanet_bench.train.evaluate import evaluate
from msanet_bench.train.fit import fit
from msanet_bench.train.seed import seed_global_start
from msanet_bench.units import Measure

PROMISED_SECONDS = {"warm": 0.060, "fresh": 0.200}
PROMISED_RATIO = 2.0
ROUNDS, CELLS, WORKERS, SEEDS = 7, 10_000, 2, 10
EXPERIMENT = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 10, channels: 1, size: 16, images: 512, test_images: 256}
  validation: 0
train: {epochs: 2, batch_size: 64, lr: 1e-2}
design: one_at_a_time
factors:
  attention: [self_attention, none, se]
seeds: 3
"""


class Clock:
    """Seconds of each call, by what was called."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def timed(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function; its calls are timed."""
        spent = self.seconds.setdefault(what, [])

        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            answer = function(*arguments)
            spent.append(time.perf_counter() - start)
            return answer

        return call


class Spent(NamedTuple):
    """What cells took, waiting included, and what cores worked: a busy machine is told from slow code."""

    seconds: float
    core_seconds: float

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds - other.seconds, self.core_seconds - other.core_seconds)

    def each(self, cells: int) -> "Spent":
        return Spent(self.seconds / cells, self.core_seconds / cells)


def compare() -> bool:
    """Whether the engine costs no more than is promised."""
    start_worker(1)
    clocks = {"warm": Clock(), "fresh": Clock()}
    with TemporaryDirectory() as folder:
        jobs = _jobs(Path(folder))
        ways: Mapping[str, Callable[[], Spent]] = {
            "plain": partial(_plain_loop, jobs),
            "warm": partial(_sweep_loop, jobs, clocks["warm"], is_well=_always),
            "fresh": partial(_sweep_loop, jobs, clocks["fresh"], is_well=lambda _: False),
        }
        for way in ways.values():
            way()
        rounds = [{name: way().each(len(jobs)) for name, way in ways.items()} for _ in range(ROUNDS)]
    print(f"{len(jobs)} cells, {ROUNDS} rounds, milliseconds a cell, medians (of cores: their time together)")
    plain = _median(each["plain"] for each in rounds)
    print(f"  plain loop     {1e3 * plain.seconds:6.1f} ({1e3 * plain.core_seconds:.1f} of cores)")
    are_cheap = [_is_cheap(name, rounds, clock) for name, clock in clocks.items()]
    return all(are_cheap)


def _is_cheap(name: str, rounds: Sequence[Mapping[str, Spent]], clock: Clock) -> bool:
    """Whether a cell costs no more beside training than is promised; printed with what it pays for."""
    whole = _median(each[name] for each in rounds)
    prices = [each[name] - each["plain"] for each in rounds]
    price, promised = _median(prices), PROMISED_SECONDS[name]
    low, high = (extreme(each.seconds for each in prices) for extreme in (min, max))
    optuna, journal = (median(clock.seconds[what]) for what in ("optuna", "journal"))
    is_cheap = price.seconds <= promised
    print(
        f"  {name:<5} children {1e3 * whole.seconds:6.1f} ({1e3 * whole.core_seconds:.1f} of cores): "
        f"{1e3 * price.seconds:.1f} more ({1e3 * low:.1f} to {1e3 * high:.1f}; "
        f"{1e3 * price.core_seconds:.1f} of cores), promised {1e3 * promised:.0f}"
        f"{'' if is_cheap else '  OUT OF RANGE'}\n"
        f"{'':17}of it Optuna {1e3 * optuna:.1f}, the journal on the disk {1e3 * journal:.1f}"
    )
    return is_cheap


def _median(many: Iterable[Spent]) -> Spent:
    seconds, core_seconds = zip(*many, strict=True)
    return Spent(median(seconds), median(core_seconds))


def _now() -> Spent:
    """The clock, and what this process, its fork server and their ended children have worked."""
    times = [process.cpu_times() for process in psutil.Process().children()]
    others = sum(t.user + t.system + t.children_user + t.children_system for t in times)
    return Spent(time.perf_counter(), time.process_time() + others)


def _jobs(folder: Path) -> list[Job]:
    path = folder / "engine.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    plan = check_plan(load_experiment(path), folder)
    return [
        Job(
            key=cell.key,
            variant=cell.variant.name,
            factors=cell.variant.factors,
            settings=cell.variant.settings,
            seed=cell.seed,
            data_digest=plan.data_digest(cell.variant.settings.data),
            code="c" * 16,
            costs={},
            data_root=folder,
            plugins=(),
            plugin_folder=folder,
            device="cpu",
            threads=1,
        )
        for cell in plan_cells(plan.variants, (0, 1, 2), catalog(), plan.data_digest)
    ]


def _plain_loop(jobs: Sequence[Job]) -> Spent:
    start = _now()
    spec, device = jobs[0].settings.data, torch.device("cpu")
    dataset = load(spec, jobs[0].data_root)
    for seed, cells in groupby(jobs, key=lambda job: job.seed):
        data = prepare_all(dataset, spec, split(dataset, spec, seed, 0), device)
        for train_spec, model_spec in ((job.settings.train, job.settings.model) for job in cells):
            seed_global_start(seed, replicate=0)
            model = build(model_spec, num_classes=data.num_classes, in_channels=data.in_channels)
            initialise(model, stream_seed(seed, "init", replicate=0))
            fit(model, data, train_spec, seed=seed, replicate=0)
            evaluate(model, data.test, train_spec, data.num_classes)
    return _now() - start


def _sweep_loop(jobs: Sequence[Job], clock: Clock, *, is_well: Callable[[Answer], bool]) -> Spent:
    """A folder, a journal and a study of their own are made before."""
    with TemporaryDirectory() as folder:
        work, journal = _bookkeeping(jobs, Path(folder), clock)
        start = _now()
        executor = LocalExecutor(
            run_task,
            slots=[{}],
            start=partial(start_worker, 1),
            is_well=is_well,
            preload=PRELOAD,
            log=lambda task: log_file(Path(folder), job_of(task).key),
        )
        for event in train(work, executor, journal, 1, Policy(), partial(write_running, Path(folder))):
            assert isinstance(event, Finished)
            assert event.attempt.record.status == "ok", event.attempt.traceback
        executor.close()
        return _now() - start


def _bookkeeping(jobs: Sequence[Job], folder: Path, clock: Clock) -> tuple[FinitePlan, Journal]:
    """What a sweep writes while it trains, timed; `optuna` is both its calls of a cell."""
    variants, seeds = list(dict.fromkeys(job.variant for job in jobs)), sorted({job.seed for job in jobs})
    ledger = Ledger(storage_url(folder), "engine", variants, seeds)
    journal = Journal(folder / "journal.jsonl")
    ask, tell, spent = ledger.ask, ledger.tell, clock.seconds.setdefault("optuna", [])
    asked: dict[int, float] = {}

    def timed_ask(key: str, variant: str, seed: int) -> int:
        start = time.perf_counter()
        number = ask(key, variant, seed)
        asked[number] = time.perf_counter() - start
        return number

    def timed_tell(number: int, accuracy: float | None) -> None:
        start = time.perf_counter()
        tell(number, accuracy)
        spent.append(asked.pop(number) + time.perf_counter() - start)

    ledger.ask, ledger.tell = timed_ask, timed_tell
    journal.append = clock.timed("journal", journal.append)
    return FinitePlan(jobs, ledger, _always), journal


def scale(cells: int) -> bool:
    """Whether a cell at the end costs no more than is promised beside one at the start."""
    with TemporaryDirectory() as name:
        folder, clock = Path(name), Clock()
        (job, *_) = _jobs(folder)
        many = [
            replace(job, key=f"{number:016x}", variant=f"variant {number // SEEDS}", seed=number % SEEDS)
            for number in range(cells)
        ]
        work, journal = _bookkeeping(many, folder, clock)
        begin = partial(start_worker, 1)
        executor = LocalExecutor(do_nothing, slots=[{}] * WORKERS, start=begin, is_well=_always)
        start = time.perf_counter()
        announce = partial(write_running, folder)
        ends = [time.perf_counter() for _ in train(work, executor, journal, WORKERS, Policy(), announce)]
        executor.close()
        outcomes = Counter(attempt.record.status for attempt in journal.read())
        size = (folder / "study.db").stat().st_size
    print(f"{cells:,} cells that do nothing, {WORKERS} workers: {ends[-1] - start:.0f} s, {dict(outcomes)}")
    ratio = _tenths("a cell", [after - before for before, after in pairwise([start, *ends])])
    _tenths("Optuna", clock.seconds["optuna"])
    _tenths("the journal", clock.seconds["journal"])
    print(f"  the study's file has {size / 1e6:.0f} MB; promised ratio of a cell: {PROMISED_RATIO:g}")
    return ratio <= PROMISED_RATIO and outcomes == {"ok": cells}


def _tenths(what: str, seconds: Sequence[float]) -> float:
    """The last tenth beside the first, printed."""
    tenth = max(1, len(seconds) // 10)
    ends = seconds[:tenth], seconds[-tenth:]
    first, last = (median(end) for end in ends)
    print(
        f"  {what:>11}: {1e3 * first:6.2f} ms in the first tenth, {1e3 * last:6.2f} in the last: ratio "
        f"{last / first:.2f}; of means {fmean(ends[1]) / fmean(ends[0]):.2f}"
    )
    return last / first


def do_nothing(task: Task) -> Answer:
    """A cell without training."""
    job = job_of(task)
    record = replace(failure(job, "ok", ""), measures={"accuracy": Measure(0.5, "fraction", "higher")})
    return Attempt(record, time.time(), 0.0, 0.0, 0.0, job.device, "host")


def _always(_: object) -> bool:
    return True


if __name__ == "__main__":
    # children find functions by the name of their module, which a script does not have
    from engine import compare, scale

    match sys.argv[1:]:
        case []:
            sys.exit(not compare())
        case ["scale"]:
            sys.exit(not scale(CELLS))
        case ["scale", number]:
            sys.exit(not scale(int(number)))
        case _:
            sys.exit(__doc__)
