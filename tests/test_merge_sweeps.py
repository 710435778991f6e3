"""Shards of an experiment, trained and merged, against one sweep of it: equal bytes."""

import json
import shutil
from pathlib import Path

import pytest

from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.errors import ResultsError
from msanet_bench.events import Ended, Event, Finished, Started
from msanet_bench.journal import Journal
from msanet_bench.merge import merge
from msanet_bench.report.build import build_report
from msanet_bench.report.markdown import render
from msanet_bench.shard import Shard
from msanet_bench.sweep import SweepOptions, run_sweep

# all that does not hold times; of one machine the manifest is the same too
EQUAL = ("records.jsonl", "results.csv", "profile.json", "manifest.json")
SHARDS = 3


def _sweep(path: Path, results: Path, shard: Shard | None = None) -> list[Event]:
    options = SweepOptions(results=results, plugin_folder=path.parent, workers=1, devices="cpu", shard=shard)
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


@pytest.mark.slow
def test_three_shards_give_the_bytes_of_one_sweep(swept: Path, tmp_path: Path) -> None:
    merged = merge(_shards(swept), tmp_path / "merged")
    assert (dict(merged.statuses), merged.notes) == ({"ok": 8, "missing": 0}, ())
    for name in EQUAL:
        assert (tmp_path / "merged" / name).read_bytes() == (swept / "whole" / name).read_bytes(), name
    once = Journal(tmp_path / "merged" / "journal.jsonl").read()
    assert len(once) == len({attempt.record.key for attempt in once}) == 8


def test_one_changed_record_makes_other_bytes_and_is_refused_beside_the_true_one(
    swept: Path, tmp_path: Path
) -> None:
    spoiled = Path(shutil.copytree(swept / "shard2", tmp_path / "spoiled"))
    journal = spoiled / "journal.jsonl"
    first, *rest = journal.read_text().splitlines(keepends=True)
    fields = json.loads(first)
    fields["record"]["measures"]["accuracy"]["value"] -= 1 / 24
    journal.write_text("".join([json.dumps(fields) + "\n", *rest]))
    merge([swept / "shard1", spoiled, swept / "shard3"], tmp_path / "merged")
    records = (tmp_path / "merged" / "records.jsonl").read_bytes()
    assert records != (swept / "whole" / "records.jsonl").read_bytes()
    with pytest.raises(ResultsError, match=r"seed 3: `measures\.accuracy\.value` is "):
        merge([swept / "whole", spoiled], tmp_path / "other")


def test_shards_of_another_order_of_seeds_are_another_experiment(swept: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(swept / "shard3", tmp_path / "other"))
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["experiment"]["seeds"].sort()
    (other / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ResultsError, match=r"other: another experiment than .*: `seeds\[0\]` is 1 here and 5"
    ):
        merge([*_shards(swept)[:2], other], tmp_path / "merged")


def test_a_sweep_goes_on_with_a_merged_folder(swept: Path, tmp_path: Path) -> None:
    assert merge(_shards(swept)[:2], tmp_path / "merged").statuses["missing"] == 2
    events = _sweep(swept / "tiny.yaml", tmp_path / "merged")
    assert _trained(events) == [8, 8]
    for name in EQUAL:
        assert (tmp_path / "merged" / name).read_bytes() == (swept / "whole" / name).read_bytes(), name


def test_a_shard_says_whose_the_other_cells_are_and_an_empty_one_that_it_trains_nothing(
    swept: Path, tmp_path: Path
) -> None:
    events = _sweep(swept / "tiny.yaml", tmp_path / "fifth", Shard(5, 5))
    started = events[0]
    assert isinstance(started, Started)
    assert (started.seeds, started.cells, started.done) == (0, 0, 0)
    assert started.notes[-2:] == (
        "shard 5 of 5: it trains nothing, since there are but 4 seeds.",
        "a shard is not timed: `sweep` measures latencies in the folder that `merge` makes of all.",
    )
    assert events[-1] == Ended(cells=0, not_ok=0, left=0)
    merge([*_shards(swept), tmp_path / "fifth"], tmp_path / "merged")
    for name in EQUAL:
        assert (tmp_path / "merged" / name).read_bytes() == (swept / "whole" / name).read_bytes(), name


def test_the_manifest_of_a_shard_is_that_of_the_whole_plan_and_says_which_it_is(swept: Path) -> None:
    whole = json.loads((swept / "whole" / "manifest.json").read_text())
    for index, shard in enumerate(_shards(swept), start=1):
        manifest = json.loads((shard / "manifest.json").read_text())
        assert manifest.pop("shard") == {"index": index, "count": 3}
        assert manifest == whole


def test_a_report_of_a_shard_says_which_cells_belong_to_others(swept: Path) -> None:
    text = render(build_report(swept / "shard2"))
    assert "2 ok, 6 missing. These are the results of shard 2 of 3: it trains 1 of 4 seeds (3); cells" in text
    assert text.count("belongs to another shard") == 6
    assert "belongs to another shard" not in render(build_report(swept / "whole"))
