"""What `train.auto` leaves to the machine: decisions on planted times, and their way through a sweep."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from commands import run_verb
from experiments import TINY, write_experiment
from jobs import job
from msanet_bench.cell import Job
from msanet_bench.checks import catalog, check_plan, load_experiment
from msanet_bench.duration.choose import Chosen, Extent, choose, median_interval
from msanet_bench.duration.contest import Contest, Turns, hold
from msanet_bench.duration.probe import FirstStep
from msanet_bench.errors import BenchError, SpecError
from msanet_bench.events import Phase, Started
from msanet_bench.executors import WorkerDied
from msanet_bench.plan import cell_key, plan_cells
from msanet_bench.shard import parse_shard
from msanet_bench.single.opening import TrainOptions, open_run
from msanet_bench.spec import DataSpec, ModelSpec, TrainSpec
from msanet_bench.sweep import SweepOptions, run_sweep
from msanet_bench.train.step import prepare, take_step
from sweeps import sweep, trained

FASHION = Path(__file__).parents[1] / "results" / "fashion_mnist_pilot" / "manifest.json"


@pytest.mark.parametrize(("number", "below"), [(6, 1), (8, 1), (9, 2), (12, 3), (17, 5), (20, 6)])
def test_the_interval_of_a_median_is_that_of_published_tables(number: int, below: int) -> None:
    """From either end, at 95 %: Conover 1999, Practical Nonparametric Statistics, table A3."""
    values = [float(value) for value in range(number, 0, -1)]
    assert median_interval(values) == (below, (number + 1) / 2, number + 1 - below)


def test_five_values_give_no_interval() -> None:
    with pytest.raises(ValueError, match="needs six values, but got 5"):
        median_interval([1.0] * 5)


class Planted:
    """An executor whose steps take a second, times a planted factor for each key not at its default."""

    def __init__(self, factors: Mapping[str, float], **turns: float) -> None:
        self.factors = factors
        self.turns = {"first": 0.0, "again": 0.0, "steps": 1000, **turns}
        self.contests: list[Contest] = []

    def submit(self, contest: Contest) -> Future[Turns | FirstStep]:
        self.contests.append(contest)
        future: Future[Turns | FirstStep] = Future()
        before, after = self._seconds(contest.job.settings.train), self._seconds(contest.challenger)
        pairs = tuple(
            (before * wobble, after * wobble) for wobble in (1.0, 1.1, 0.9, 1.0, 1.2, 1.0, 0.8, 1.0)
        )
        future.set_result(Turns(pairs, **self.turns))  # type: ignore[arg-type]
        return future

    def _seconds(self, train: TrainSpec) -> float:
        seconds = 1.0
        for key, factor in self.factors.items():
            if getattr(train, key) != getattr(TrainSpec(), key):
                seconds *= factor
        return seconds

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def open_job(*keys: str) -> Job:
    plain = job("baseline")
    train = plain.settings.train.model_copy(update={"auto": keys})
    return dataclasses.replace(plain, settings=plain.settings.model_copy(update={"train": train}))


def values(chosen: Iterator[Chosen]) -> dict[str, Any]:
    return {choice.key: choice.value for choice in chosen}


EXTENT = Extent(variants=8, cells=24)


def test_what_is_faster_stays_and_the_next_key_is_tried_on_top_of_it() -> None:
    executor = Planted({"precision": 0.7, "fused_attention": 1.3, "fused_optimiser": 0.9})
    asked = open_job("fused_optimiser", "precision", "fused_attention")
    assert values(choose(asked, executor, 2, EXTENT)) == {
        "precision": "bf16",
        "fused_attention": False,
        "fused_optimiser": True,
    }
    assert len(executor.contests) == 6  # both workers are busy each time
    last = executor.contests[-1]
    assert last.job.settings.train == TrainSpec(precision="bf16")
    assert last.challenger == TrainSpec(precision="bf16", fused_optimiser=True)


@pytest.mark.parametrize(("factor", "value"), [(0.97, True), (0.99, False), (1.0, False)])
def test_a_gain_of_less_than_two_per_cent_is_left(factor: float, value: bool) -> None:  # noqa: FBT001
    (chosen,) = choose(open_job("channels_last"), Planted({"channels_last": factor}), 1, EXTENT)
    assert chosen.value is value
    assert chosen.ratio == pytest.approx(1 / factor)


def test_a_gain_that_may_be_chance_is_left() -> None:
    class Noisy(Planted):
        def submit(self, contest: Contest) -> Future[Turns | FirstStep]:
            del contest
            future: Future[Turns | FirstStep] = Future()
            pairs = tuple((1.0, seconds) for seconds in (0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 2.0, 2.0))
            future.set_result(Turns(pairs, 0.0, 0.0, 1000))
            return future

    (chosen,) = choose(open_job("channels_last"), Noisy({}), 1, EXTENT)
    assert chosen.low is not None
    assert chosen.low < 1 < (chosen.ratio or 0)
    assert chosen.value is False


@pytest.mark.parametrize(
    "answer",
    [FirstStep("baseline", "failed", "no such kernel"), WorkerDied("crash", "no such kernel")],
)
def test_a_way_that_fails_is_not_taken_and_says_why(answer: FirstStep | WorkerDied) -> None:
    class Failing(Planted):
        def submit(self, contest: Contest) -> Future[Turns | FirstStep]:
            del contest
            future: Future[Turns | FirstStep] = Future()
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
            return future

    (chosen,) = choose(open_job("precision"), Failing({}), 1, EXTENT)
    assert (chosen.value, chosen.ratio) == ("fp32", None)
    assert "no such kernel" in str(chosen)


@pytest.mark.parametrize(
    ("turns", "value", "tried"),
    [
        # 24 cells of 10 steps of a second save 120 s at most, and compiling 8 networks takes 480 s
        ({"steps": 10, "first": 1, "again": 1}, False, 1),
        # 24 x 1000 steps save 12,000 s; compiling takes 8 x 60 + 16 x 10 = 640 s
        ({"steps": 1000, "first": 60, "again": 10}, True, 2),
        # 24 x 50 steps save 600 s
        ({"steps": 50, "first": 60, "again": 10}, False, 2),
    ],
)
def test_compiling_is_taken_where_it_pays(turns: Mapping[str, float], value: bool, tried: int) -> None:  # noqa: FBT001
    executor = Planted({"compile": 0.5}, **turns)
    (chosen,) = choose(open_job("compile"), executor, 1, EXTENT)
    assert chosen.value is value
    assert len(executor.contests) == tried


FACTOR = "attention: [self_attention, none, se]"


def tiny(
    folder: Path, keys: str = "precision, fused_optimiser", factor: str = FACTOR, **changes: str
) -> Path:
    train = f"train: {{epochs: 2, batch_size: 16, lr: 1e-2, auto: [{keys}]}}"
    changes = {"train": train, "measure": "measure: {latency_rounds: 0}", **changes}
    return write_experiment(folder, TINY.replace(FACTOR, factor), **changes)


def test_a_real_contest_takes_steps_in_turns(tmp_path: Path) -> None:
    experiment = load_experiment(tiny(tmp_path, seeds="seeds: 1"))
    plan = check_plan(experiment, tmp_path)
    settings = plan.variants[0].settings
    asked = dataclasses.replace(
        job("baseline"), settings=settings, data_digest=plan.data_digest(settings.data), data_root=tmp_path
    )
    turns = hold(Contest(asked, settings.train.model_copy(update={"fused_optimiser": True})))
    assert isinstance(turns, Turns), turns
    assert len(turns.pairs) >= 8
    assert all(0 < seconds < 5 for pair in turns.pairs for seconds in pair)
    assert turns.steps == 6  # 48 images by 16, twice
    broken = hold(Contest(dataclasses.replace(asked, data_digest="other"), settings.train))
    assert isinstance(broken, FirstStep)
    assert "data have changed" in broken.reason


BASELINE = "baseline: {stem: small, width: 0.125, depth: [1], attention: none}"


def test_a_plan_before_the_choice_says_when_it_is_made(tmp_path: Path) -> None:
    planned = run_verb("plan", tiny(tmp_path), "--no-duration", cwd=tmp_path)
    assert "is chosen when the sweep begins (precision, fused_optimiser)" in " ".join(planned.out.split())


CHOSEN = (
    Chosen("precision", "fp32", 0.9, 0.8, 0.95, 16),
    Chosen("fused_optimiser", True, 1.2, 1.1, 1.3, 16),  # noqa: FBT003
)


def test_a_sweep_takes_the_choice_and_remembers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Job] = []

    def planted(job: Job, *_: object) -> Iterator[Chosen]:
        asked.append(job)
        yield from CHOSEN

    monkeypatch.setattr("msanet_bench.sweep.auto.choose", planted)
    path = tiny(tmp_path, factor="attention: [none, se]", seeds="seeds: 1", baseline=BASELINE)
    events = sweep(path, tmp_path / "results")
    assert events[0] == Phase("choosing how to compute: precision, fused_optimiser")
    assert isinstance(events[1], Started)
    assert "fused_optimiser true (1.20 times as fast [1.10, 1.30], 16 pairs)" in events[1].notes[-1]
    manifest = json.loads((tmp_path / "results" / "manifest.json").read_text())
    assert [Chosen(**choice) for choice in manifest["choices"]] == list(CHOSEN)
    assert manifest["experiment"]["train"]["fused_optimiser"] is True
    assert "auto" not in manifest["experiment"]["train"]

    # the cells are those of a file that says the same
    text = path.read_text().replace("auto: [precision, fused_optimiser]", "fused_optimiser: true")
    plain = load_experiment(write_experiment(tmp_path, text))
    plan = check_plan(plain, tmp_path)
    cells = plan_cells(plan.variants, plain.seeds, catalog(), plan.data_digest)
    assert set(trained(events)) == {cell.key for cell in cells}

    # given again, nothing is measured and nothing is trained; a plan knows it
    path = tiny(tmp_path, factor="attention: [none, se]", seeds="seeds: 1", baseline=BASELINE)
    planned = run_verb("plan", path, "--results", "results", "--no-duration", cwd=tmp_path)
    assert "2 variants, 2 cells: 2 done, 0 to train." in planned.out
    again = sweep(path, tmp_path / "results")
    assert isinstance(again[0], Started)
    assert trained(again) == []
    assert len(asked) == 1


@pytest.mark.parametrize("options", [{"executor": "ray"}, {"shard": parse_shard("1/2")}])
def test_machines_that_would_choose_each_for_itself_are_refused(
    tmp_path: Path, options: Mapping[str, Any]
) -> None:
    experiment = load_experiment(tiny(tmp_path))
    with pytest.raises(BenchError, match=r"not with `train\.auto`, since all machines must compute alike"):
        list(run_sweep(experiment, SweepOptions(results=tmp_path / "results", **options)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train": "train: {precision: bf16, auto: [precision]}"},
            "precision: is left to the machine by `auto`",
        ),
        ({"train": "train: {auto: [width]}"}, "train.auto"),
        ({"factor": "train.precision: [fp32, bf16]"}, "`precision` is left to the machine"),
        ({"factor": "train.auto: [[], [compile]]"}, "Write it under `train`"),
    ],
)
def test_what_is_set_and_left_to_the_machine_is_refused(
    tmp_path: Path, changes: Mapping[str, str], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        load_experiment(tiny(tmp_path, **changes))
    assert message in str(caught.value)


def test_keys_of_older_cells_stand() -> None:
    """The new keys of `train` are no part of a cell's key where nothing is asked for."""
    manifest = json.loads(FASHION.read_text())
    written = manifest["experiment"]
    baseline = next(cell for cell in manifest["cells"] if cell["variant"] == "baseline")
    parts = {
        "model": ModelSpec.model_validate_json(json.dumps(written["baseline"])),
        "data": DataSpec.model_validate_json(json.dumps(written["data"])),
    }

    def key(train: TrainSpec) -> str:
        settings = job("baseline").settings.model_copy(update={**parts, "train": train})
        return cell_key(settings, baseline["seed"], manifest["data_digest"], catalog())

    train = TrainSpec.model_validate_json(json.dumps(written["train"]))
    assert key(train) == baseline["key"]
    assert key(train.model_copy(update={"compile": True})) != baseline["key"]


def test_the_fused_optimiser_takes_the_same_steps_but_for_rounding() -> None:
    def weights(*, fused: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
        images, labels = torch.randn(8, 3, 2, 2), torch.arange(8) % 3
        stepper = prepare(model, TrainSpec(batch_size=8, fused_optimiser=fused))
        for _ in range(5):
            take_step(stepper, images, labels, 1e-2)
        return [weight.detach() for weight in model.parameters()]

    for fused, plain in zip(weights(fused=True), weights(fused=False), strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-6)


def test_compiled_is_the_full_batch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last batch of an epoch is smaller, and compiling for it would cost more than it saves."""
    sizes: list[int] = []

    def compiled(model: nn.Module, *, dynamic: bool) -> Callable[[torch.Tensor], torch.Tensor]:
        assert not dynamic

        def forward(images: torch.Tensor) -> torch.Tensor:
            sizes.append(len(images))
            return model(images)

        return forward

    monkeypatch.setattr(torch, "compile", compiled)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    stepper = prepare(model, TrainSpec(batch_size=8, compile=True))
    for size in (8, 8, 5):
        take_step(stepper, torch.randn(size, 3, 2, 2), torch.zeros(size, dtype=torch.int64), 1e-2)
    assert sizes == [8, 8]


@pytest.mark.cluster
def test_a_compiled_network_learns_what_the_plain_one_does() -> None:
    """Needs a C++ compiler, and half a minute."""

    def losses(*, is_compiled: bool) -> list[float]:
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
        )
        images, labels = torch.randn(20, 1, 8, 8), torch.arange(20) % 3
        stepper = prepare(model, TrainSpec(batch_size=16, compile=is_compiled))
        batches = [slice(0, 16), slice(16, 20)] * 4
        return [take_step(stepper, images[b], labels[b], 1e-2).item() for b in batches]

    assert losses(is_compiled=True) == pytest.approx(losses(is_compiled=False), rel=1e-4)


_FAULTS = """
import resource, torch
{first}
torch.set_num_threads(1)
for _ in range(3): torch.ones(4_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20): torch.ones(4_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_worker_keeps_the_memory_that_it_frees() -> None:
    """Twenty tensors of 16 MB, one after the other: 3900 pages each, where they come from the system."""

    def faults(first: str) -> int:
        command = [sys.executable, "-c", _FAULTS.format(first=first)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults("from msanet_bench.cell import start_worker; start_worker(1)") < 1000
    assert faults("") > 5000


def test_a_run_of_its_own_computes_in_the_plain_way_and_says_so(tmp_path: Path) -> None:
    experiment = load_experiment(tiny(tmp_path, seeds="seeds: 1"))
    run = open_run(experiment, TrainOptions("baseline", 0, tmp_path / "one.pt", tmp_path, tmp_path))
    assert run.job.settings.train.auto == ()
    assert "`train.auto` is a sweep's to measure" in run.notes[0]
