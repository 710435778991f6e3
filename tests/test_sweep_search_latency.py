"""Searches that ask for latency, with real cells and a real clock, and with a planted one."""

import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiments import write_experiment
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.errors import BenchError
from msanet_bench.measure.environment import environment
from msanet_bench.records import read_records
from msanet_bench.session.networks import HEAD, Network
from msanet_bench.session.run import Place
from msanet_bench.spec import digest
from msanet_bench.sweep import run_search, trial_latency
from msanet_bench.sweep.trial_latency import time_beside_baseline
from report_text import edit_manifest, report, section, tables
from simulated import Simulated
from sweeps import sweep, trained

SEARCH = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 60, test_images: 24}
  validation: 0.3
train: {epochs: 1, batch_size: 16, lr: 1e-2}
design: random
search: {trials: 2, batch: 2, objectives: [accuracy, latency]}
factors:
  width: [0.125, 2.0]
  train.lr: [1e-3, 1e-1, log]
constraints: [latency <= 2.5x]
seeds: 1
measure: {latency_rounds: 0}
"""


def lines(results: Path) -> list[dict[str, Any]]:
    """The line that holds of each trial."""
    found = map(json.loads, (results / "trials.jsonl").read_text().splitlines())
    return list({line["number"]: line for line in found}.values())


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("timed")
    sweep(write_experiment(folder, SEARCH), folder / "results")
    return folder


def test_what_is_timed_above_the_limit_is_not_trained_and_says_its_ratio(quiet: Path) -> None:
    asked = lines(quiet / "results")
    trained = {record.variant for record in read_records(quiet / "results")}
    for line in asked:
        is_slow = line["timing"]["ratio"] > 2.5
        assert bool(line["rejected"]) == is_slow
        assert (line["variant"] in trained) != is_slow
        if is_slow:
            ratio = re.fullmatch(r"latency is (.*)x, but latency <= 2.5x is asked for", line["rejected"])
            assert ratio is not None
            assert float(ratio[1]) == pytest.approx(line["timing"]["ratio"], rel=1e-3)
    assert all(line["timing"]["device"] == "cpu" for line in asked)


def test_records_hold_no_times(quiet: Path) -> None:
    text = (quiet / "results" / "records.jsonl").read_text()
    assert "latency" not in text
    assert "timing" not in text


def test_what_was_timed_is_not_timed_again(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("timed again")

    monkeypatch.setattr(run_search, "time_beside_baseline", never)
    path = write_experiment(tmp_path, SEARCH)
    (tmp_path / "results").mkdir()
    before = (quiet / "results" / "trials.jsonl").read_bytes()
    (tmp_path / "results" / "trials.jsonl").write_bytes(before)  # killed before the first cell had ended
    assert len(trained(sweep(path, tmp_path / "results"))) == 3
    for name in ("records.jsonl", "trials.jsonl"):
        assert (tmp_path / "results" / name).read_bytes() == (quiet / "results" / name).read_bytes()
    with pytest.raises(AssertionError, match="timed again"):
        sweep(path, tmp_path / "others")


def test_the_report_has_latencies_with_their_interval_unit_and_device(quiet: Path) -> None:
    results = quiet / "results"
    text = section(report(results), "Search")
    assert "Latency is of one image on `cpu`" in text
    assert "Not trained was what breaks latency <= 2.5x." in text
    assert "| latency, ms |" in text
    timings = {line["number"]: line["timing"] for line in lines(results)}
    shown = tables(text)[1]
    assert shown
    for row in shown:
        timing = timings[int(row[0])]
        values = [1000 * timings[0]["baseline_s"] * timing[name] for name in ("ratio", "low", "high")]
        wanted = values[:1] if row[0] == "0" else values
        assert [float(number) for number in re.findall(r"[\d.]+", row[3])] == pytest.approx(wanted, rel=6e-3)


def test_a_baseline_beyond_a_limit_relative_to_itself_is_no_candidate(quiet: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(quiet / "results", results)
    before = section(report(results), "Search")

    def tighten(manifest: dict[str, Any]) -> None:
        (limit,) = manifest["experiment"]["constraints"]
        limit["limit"] = 0.9

    edit_manifest(results, tighten)
    after = section(report(results), "Search")
    assert "it is not chosen" in after
    assert "it is not chosen" not in before
    assert "0" not in {row[0] for row in tables(after)[1]}


class Planted(nn.Module):
    """Says how many milliseconds it takes."""

    def __init__(self, milliseconds: float) -> None:
        super().__init__()
        self.milliseconds = milliseconds

    def forward(self, images: Tensor) -> Tensor:
        return torch.full((len(images),), self.milliseconds)


def planted(*milliseconds: float) -> Callable[[object], list[Network]]:
    networks = [
        Network(HEAD, f"network {number}", partial(Planted, time), (1, 8, 8), channels_last=False)
        for number, time in enumerate(milliseconds)
    ]
    return lambda _: networks


def test_latencies_are_those_of_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = check_plan(load_experiment(write_experiment(tmp_path, SEARCH)), tmp_path)
    monkeypatch.setattr(trial_latency, "networks_of", planted(2.0, 1.0, 5.0))
    device = Simulated(name="cpu", cost=lambda output: float(output[0]) / 1000, launch=0.0)
    timings = time_beside_baseline(plan, "cpu", plan.variants, on=Place(device, torch.device("cpu")))
    assert [timing.baseline_s for timing in timings] == pytest.approx([0.002] * 3, rel=1e-3)
    assert [timing.ratio for timing in timings] == pytest.approx([1.0, 0.5, 2.5], rel=1e-3)
    assert {timing.machine for timing in timings} == {digest(environment())}
    assert {timing.device for timing in timings} == {"cpu"}


def test_a_baseline_that_cannot_be_timed_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> float:
        raise torch.OutOfMemoryError("planted")

    plan = check_plan(load_experiment(write_experiment(tmp_path, SEARCH)), tmp_path)
    monkeypatch.setattr(trial_latency, "networks_of", planted(2.0, 1.0))
    place = Place(Simulated(name="cpu", cost=full), torch.device("cpu"))
    with pytest.raises(
        BenchError, match="the baseline cannot be timed, and others are compared with it: oom"
    ):
        time_beside_baseline(plan, "cpu", plan.variants, on=place)
