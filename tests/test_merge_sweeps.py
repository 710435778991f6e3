"""Shards of an experiment, trained and merged, against one sweep of it: equal bytes."""

from pathlib import Path

import pytest

from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.events import Event, Finished
from msanet_bench.journal import Journal
from msanet_bench.merge import merge
from msanet_bench.shard import Shard
from msanet_bench.sweep import SweepOptions, run_sweep

# all that does not hold times; of one machine the manifest is the same too
EQUAL = ("records.jsonl", "results.csv", "profile.json", "manifest.json")
SHARDS = 3


def _sweep(path: Path, results: Path, shard: Shard | None = None) -> list[Event]:
    options = SweepOptions(results=results, plugin_folder=path.parent, workers=2, devices="cpu", shard=shard)
    return list(run_sweep(load_experiment(path), options))


def _trained(events: list[Event]) -> list[int]:
    return sorted(event.attempt.record.seed for event in events if isinstance(event, Finished))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sweep in `whole` and three shards of the same experiment, of two and one and one seeds."""
    folder = tmp_path_factory.mktemp("swept")
    path = write_experiment(
        folder,
        seeds="seeds: [5, 3, 8, 1]",
        measure="measure: {latency_rounds: 0}",
    )
    text = path.read_text().replace("[self_attention, none, se]", "[none, se]")
    path.write_text(text.replace("stem: small", "stem: small, attention: none"))
    assert _trained(_sweep(path, folder / "whole")) == [1, 1, 3, 3, 5, 5, 8, 8]
    for index, seeds in ((1, [1, 5]), (2, [3]), (3, [8])):
        events = _sweep(path, folder / f"shard{index}", Shard(index, SHARDS))
        assert _trained(events) == sorted(2 * seeds)
    return folder


def _shards(swept: Path) -> list[Path]:
    return [swept / f"shard{index}" for index in range(1, SHARDS + 1)]


def test_three_shards_give_the_bytes_of_one_sweep(swept: Path, tmp_path: Path) -> None:
    merged = merge(_shards(swept), tmp_path / "merged")
    assert (dict(merged.statuses), merged.notes) == ({"ok": 8, "missing": 0}, ())
    for name in EQUAL:
        assert (tmp_path / "merged" / name).read_bytes() == (swept / "whole" / name).read_bytes(), name
    once = Journal(tmp_path / "merged" / "journal.jsonl").read()
    assert len(once) == len({attempt.record.key for attempt in once}) == 8
