"""Real sweeps of the tiny experiment, for tests of the runner."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.events import Ended, Event, Finished, Phase, Started
from msanet_bench.sweep import SweepOptions, run_sweep


def sweep(path: Path, results: Path, **options: Any) -> list[Event]:
    """The events of a sweep of two workers."""
    experiment = load_experiment(path)
    settings = SweepOptions(results=results, plugin_folder=path.parent, workers=2, **options)
    return list(run_sweep(experiment, settings))


def trained(events: list[Event]) -> list[str]:
    """The keys of the cells that ended."""
    return [event.attempt.record.key for event in events if isinstance(event, Finished)]


def ended(events: list[Event]) -> Ended:
    assert isinstance(events[-1], Ended)
    return events[-1]


def notes(events: list[Event]) -> tuple[str, ...]:
    assert isinstance(events[0], Started)
    return events[0].notes


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed sweep of the tiny experiment: its folder, with results in `results`."""
    folder = tmp_path_factory.mktemp("quiet")
    events = sweep(write_experiment(folder), folder / "results")
    assert [type(event) for event in events] == [Started, Phase, Phase, Phase, *[Finished] * 6, Phase, Ended]
    return folder


def copied(quiet: Path, to: Path) -> tuple[Path, Path]:
    """An experiment and its finished results, to be spoiled."""
    shutil.copytree(quiet, to, dirs_exist_ok=True)
    return to / "tiny.yaml", to / "results"


def contents(results: Path) -> dict[str, bytes]:
    """What the files of a results folder hold; the lock apart, which names a process."""
    return {
        file.name: file.read_bytes() for file in results.iterdir() if file.is_file() and file.name != "lock"
    }
