"""What `train.auto` leaves to the machine: one key after the other, the faster value stays."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from math import comb
from statistics import median
from typing import Any, get_args

from msanet_bench.cell import Job
from msanet_bench.duration.contest import Contest, Turns
from msanet_bench.duration.probe import FirstStep
from msanet_bench.executors import Executor, WorkerDied
from msanet_bench.spec import Choosable, TrainSpec

# what each key is when it is not at its default
_FASTER: Mapping[Choosable, Any] = {
    "precision": "bf16",
    "fused_attention": True,
    "channels_last": True,
    "fused_optimiser": True,
    "compile": True,
}
# a smaller gain is not worth numbers that differ from those of the plain way
_LEAST_GAIN = 1.02
# compiling takes about a minute a network on two cores, and has never made a step more than twice as fast
_COMPILE_SECONDS, _MOST_GAIN = 60.0, 2.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much training a choice is for."""

    variants: int
    cells: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """One key that the machine decided.

    Attributes:
        ratio: How many times as fast a step was with the value that is not the default; None if none was
            taken, and `why` says the rest.
        low: Of the 95 % interval of that ratio, a median of pairs; `high` is its other end.
        pairs: Steps that were taken in turns.
    """

    key: Choosable
    value: Any
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    why: str = ""

    def __str__(self) -> str:
        value = {True: "true", False: "false"}.get(self.value, self.value)
        if self.ratio is None:
            return f"{self.key} {value} ({self.why})"
        found = f"{self.ratio:.2f} times as fast [{self.low:.2f}, {self.high:.2f}], {self.pairs} pairs"
        return f"{self.key} {value} ({'; '.join(filter(None, (found, self.why)))})"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def choose(
    job: Job, executor: Executor[Contest, Turns | FirstStep], slots: int, extent: Extent
) -> Iterator[Chosen]:
    """The value of each key that the job's training leaves open, decided with all workers busy."""
    train = job.settings.train
    asked, train = train.auto, train.model_copy(update={"auto": ()})
    for key in get_args(Choosable):
        if key in asked:
            chosen = _decide(_with(job, train), key, executor, slots, extent)
            train = train.model_copy(update={key: chosen.value})
            yield chosen


def _decide(
    job: Job,
    key: Choosable,
    executor: Executor[Contest, Turns | FirstStep],
    slots: int,
    extent: Extent,
) -> Chosen:
    train = job.settings.train
    default, faster = getattr(TrainSpec(), key), _FASTER[key]
    contest = Contest(job, train.model_copy(update={key: faster}))
    if key == "compile":
        (step,) = _answers(executor, Contest(job, train), 1)
        if isinstance(step, Turns) and not _may_pay(step, extent):
            return Chosen(key, default, why="training is too short for compiling to pay")
    answers = _answers(executor, contest, slots)
    for answer in answers:
        if isinstance(answer, FirstStep):
            return Chosen(key, default, why=f"{answer.status}: {answer.reason}")
    turns = [answer for answer in answers if isinstance(answer, Turns)]
    pairs = [pair for each in turns for pair in each.pairs]
    low, ratio, high = median_interval([champion / challenger for champion, challenger in pairs])
    pays = key != "compile" or _pays(turns, pairs, extent)
    taken = low > 1 and ratio >= _LEAST_GAIN and pays
    why = "" if pays else "what it saves is less than what compiling takes"
    return Chosen(key, faster if taken else default, ratio, low, high, len(pairs), why)


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median between the order statistics that hold it in at least 95 % of samples.

    Raises:
        ValueError: there are fewer than six values, of which even the extremes hold it less often.
    """
    ordered, number = sorted(values), len(values)
    outside, place = 0.0, 0
    # the chance of at most `place` values below the median, on either side (David & Nagaraja 2003, 7.1)
    while 2 * (outside + comb(number, place) / 2**number) <= 0.05:  # noqa: PLR2004 (1 - 95 %)
        outside += comb(number, place) / 2**number
        place += 1
    if place == 0:
        raise ValueError(f"a median's interval needs six values, but got {number}.")
    return ordered[place - 1], median(ordered), ordered[number - place]


def _may_pay(turns: Turns, extent: Extent) -> bool:
    """Whether compiling could save time if it were as good as it has ever been."""
    step = median(champion for champion, _ in turns.pairs)
    return extent.cells * turns.steps * step * (1 - 1 / _MOST_GAIN) > extent.variants * _COMPILE_SECONDS


def _pays(turns: Sequence[Turns], pairs: Sequence[tuple[float, float]], extent: Extent) -> bool:
    """Whether all steps save more than compiling takes, each network's first time and the later ones."""
    saved = extent.cells * turns[0].steps * median(champion - challenger for champion, challenger in pairs)
    first, again = max(each.first for each in turns), max(each.again for each in turns)
    return saved > extent.variants * first + (extent.cells - extent.variants) * again


def _answers(
    executor: Executor[Contest, Turns | FirstStep], contest: Contest, number: int
) -> list[Turns | FirstStep]:
    futures = [executor.submit(contest) for _ in range(number)]
    return [_answer(contest, future) for future in futures]


def _answer(contest: Contest, future: Future[Turns | FirstStep]) -> Turns | FirstStep:
    try:
        return future.result()
    except WorkerDied as error:
        return FirstStep(contest.job.variant, "oom" if error.kind == "memory" else "failed", str(error))


def _with(job: Job, train: TrainSpec) -> Job:
    return replace(job, settings=job.settings.model_copy(update={"train": train}))


def is_well(answer: Turns | FirstStep) -> bool:
    return isinstance(answer, Turns)
