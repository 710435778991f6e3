"""Sweeps on real Ray: one started on this machine, and clusters of two hosts in network namespaces."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

import msanet_bench
from experiments import write_experiment
from msanet_bench.journal import Attempt, Journal
from msanet_bench.records import read_records
from ray_hosts import environment, on_cluster, quiet_records, ray_cluster, sweep_command

pytestmark = pytest.mark.cluster

PLANTED = Path(__file__).parent.parent / "planted.py"
# latency sessions are the same without Ray, and take time
QUICK = {"measure": "measure: {latency_rounds: 0}"}
# 12 cells of a second or two, so that a kill meets one in the middle
LONG = {**QUICK, "seeds": "seeds: 4", "train": "train: {epochs: 60, batch_size: 16, lr: 1e-2}"}
CELLS = 12


def _attempts(experiment: Path) -> list[Attempt]:
    return Journal(experiment.parent / "ray" / "journal.jsonl").read()


def _records(experiment: Path) -> bytes:
    return (experiment.parent / "ray" / "records.jsonl").read_bytes()


def _hosts(experiment: Path) -> set[str]:
    return {attempt.host for attempt in _attempts(experiment)}


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)


def _at_work(pids: list[int]) -> list[int]:
    """Those of the processes that run a cell; Ray gives them its task's name as title."""
    titles = {process.pid: process.info["cmdline"] for process in psutil.process_iter(["cmdline"])}
    return [pid for pid in pids if any("ray::_work" in word for word in titles.get(pid) or ())]


def test_ray_on_this_machine_gives_the_bytes_of_a_local_sweep_and_prints_nothing_of_its_own(
    tmp_path: Path,
) -> None:
    experiment = write_experiment(tmp_path, **QUICK)
    command = sweep_command(experiment, "ray", "--executor", "ray", "--workers", "2")
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("[") for line in lines) == 6
    assert [line.split(": ")[0] for line in lines if not line.startswith("[")] == [
        *("tiny", "counting parameters and operations", "training", "done", "Results", "Report"),
    ]
    assert _records(experiment) == quiet_records(experiment)


def test_a_cell_that_kills_its_worker_is_one_failed_attempt_and_ray_says_nothing_of_it(
    tmp_path: Path,
) -> None:
    shutil.copy(PLANTED, tmp_path)
    text = write_experiment(tmp_path, **QUICK, seeds="seeds: 1").read_text()
    text = text.replace("[self_attention, none, se]", "[none, planted_error, planted_crash]")
    experiment = write_experiment(tmp_path, text + "plugins: [planted.py]\n")
    command = sweep_command(experiment, "ray", "--executor", "ray", "--workers", "1")
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "raylet" not in ran.stdout
    reasons = [(record.variant, record.status, record.reason) for record in read_records(tmp_path / "ray")]
    assert sorted(reasons) == [
        ("attention=none", "ok", ""),
        ("attention=planted_crash", "failed", "the worker process ended before it answered"),
        ("attention=planted_error", "failed", "RuntimeError: planted: shapes do not fit"),
        ("baseline", "ok", ""),
    ]
    assert len(_attempts(experiment)) == 4


def test_a_host_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, **LONG)
    shared = environment()
    with ray_cluster(shared) as (head, other):
        process = head.start(on_cluster(head, experiment), shared, stdout=-1, stderr=-1)
        _wait_for(lambda: other.name in _hosts(experiment) and len(_attempts(experiment)) >= 3)
        _wait_for(lambda: bool(_at_work(other.processes())))
        other.kill()
        before = len(_attempts(experiment))
        output, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, b""), output
    assert before < CELLS
    keys = [attempt.record.key for attempt in _attempts(experiment)]
    assert len(keys) == len(set(keys)) == CELLS
    assert _hosts(experiment) == {head.name, other.name}
    assert _records(experiment) == quiet_records(experiment)


def test_a_driver_that_is_killed_leaves_nothing_running_and_the_same_command_goes_on(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, **LONG)
    shared = environment()
    with ray_cluster(shared) as (head, other):
        process = head.start(on_cluster(head, experiment), shared, stdout=-1, stderr=-1)
        _wait_for(lambda: len(_attempts(experiment)) >= 3)
        _wait_for(lambda: len(_at_work([*head.processes(), *other.processes()])) == 2)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kept = [attempt.record.key for attempt in _attempts(experiment)]
        assert len(kept) < CELLS
        _wait_for(lambda: not _at_work([*head.processes(), *other.processes()]))
        again = head.run(on_cluster(head, experiment), shared)
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    keys = [attempt.record.key for attempt in _attempts(experiment)]
    assert keys[: len(kept)] == kept
    assert len(keys) == len(set(keys)) == CELLS
    assert _records(experiment) == quiet_records(experiment)


def test_a_host_without_the_images_is_sent_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _write_images(data / "noise")
    text = write_experiment(tmp_path, **LONG).read_text().replace("dataset: fake", "dataset: image_folder")
    text = text.replace(
        "{classes: 3, channels: 1, size: 8, images: 48, test_images: 24}", "{folder: noise, size: 8}"
    )
    experiment = write_experiment(tmp_path, text)
    shared = environment()
    with ray_cluster(shared, hidden=[data]) as (head, other):
        assert other.run(["ls", data], shared).stdout == ""
        ran = head.run(on_cluster(head, experiment, "--data-root", data), shared)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert _hosts(experiment) == {head.name, other.name}
    assert _records(experiment) == quiet_records(experiment, "--data-root", data)


def test_a_host_with_other_code_stops_the_sweep_by_its_name(tmp_path: Path) -> None:
    package = Path(msanet_bench.__file__).parent
    shutil.copytree(
        package, tmp_path / "other" / "msanet_bench", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (tmp_path / "other" / "msanet_bench" / "train" / "fit.py").open("a") as file:
        file.write("# another line\n")
    experiment = write_experiment(tmp_path, **LONG)
    shared = environment()
    second = {**shared, "PYTHONPATH": str(tmp_path / "other")}
    with ray_cluster(shared, second=second) as (head, other):
        ran = head.run(on_cluster(head, experiment), shared)
    assert ran.returncode == 2
    assert f"node {other.name}: has other code" in ran.stderr
    assert _hosts(experiment) <= {head.name}


def _write_images(folder: Path) -> None:
    """Four training and two test images of each of two classes, of noise."""
    draw = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 4)):
        for label in ("cat", "dog"):
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
