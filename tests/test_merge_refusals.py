"""Results folders that do not belong together: one message each, and nothing is written."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import run_verb
from msanet_bench.errors import ResultsError
from msanet_bench.journal import Journal, sole_writer
from msanet_bench.merge import merge
from planted_results import full
from planted_shards import attempt, files_of, manifest_of, write_shard, write_shards


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    return write_shards(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "merged"


def _other_experiment(shard: Path) -> None:
    _change(shard, lambda fields: fields["experiment"]["train"].update(lr=0.5))


def _other_seeds(shard: Path) -> None:
    _change(shard, lambda fields: fields["experiment"].update(seeds=[2, 4, 7]))


def _other_digest(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(experiment_digest="beef"))


def _other_data(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(data_digest="beef"))


def _other_keys(shard: Path) -> None:
    _change(shard, lambda fields: fields["cells"][3].update(key="beef"))


def _added_seeds(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(added_seeds={"attention=none": 2}))


def _newer(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(schema=99))


def _newer_line(shard: Path) -> None:
    journal = shard / "journal.jsonl"
    journal.write_text(journal.read_text().replace('{"schema_version":2,', '{"schema_version":99,', 1))


def _damaged(shard: Path) -> None:
    (shard / "manifest.json").write_text('{"schema_version": 2, "cells": NaN}')


def _no_manifest(shard: Path) -> None:
    (shard / "manifest.json").unlink()


def _no_journal(shard: Path) -> None:
    merge([shard], shard.parent / "copy")
    (shard / "journal.jsonl").unlink()
    (shard / "records.jsonl").write_bytes((shard.parent / "copy" / "records.jsonl").read_bytes())


def _contradiction(shard: Path) -> None:
    Journal(shard / "journal.jsonl").append(attempt(1, 4, right=700, started=600.0))


def _other_curve(shard: Path) -> None:
    line = json.dumps(attempt(1, 4).to_json() | {"started": 600.0})
    fields = json.loads(line)
    fields["record"]["curve"] = [{"epoch": 1}]
    with (shard / "journal.jsonl").open("a") as file:
        file.write(json.dumps(fields) + "\n")


def _searched(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(trials=[]))


def _tuned(shard: Path) -> None:
    _change(shard, lambda fields: fields.update(tuning={"seed": 1000}))


def _change(shard: Path, change: Callable[[dict[str, Any]], None]) -> None:
    fields = manifest_of(shard)
    change(fields)
    (shard / "manifest.json").write_text(json.dumps(fields))


ONLY = "Only results of one experiment on the same images can be merged."
ONE = "One cell has one outcome: leave out the folder, or the line of its journal, that is not to count."


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_other_experiment, f"B: another experiment than A: `train.lr` is 0.5 here and 0.002 there. {ONLY}"),
        (_other_seeds, f"B: another experiment than A: `seeds[0]` is 2 here and 4 there. {ONLY}"),
        (
            _other_digest,
            "B: another experiment than A: `experiment_digest` is 'beef' here and 'c0ffee0123456789' there. "
            + ONLY,
        ),
        (_other_data, f"B: other images than A: `data_digest` is 'beef' here and 'cafe' there. {ONLY}"),
        (
            _other_keys,
            "B: cells of another version of msanet-bench than A: `cells[3].key` is 'beef' here and '00000001",
        ),
        (
            _added_seeds,
            "B: other added seeds than A: `added_seeds` is {'attention=none': 2} here and None there.",
        ),
        (
            _newer,
            "B/manifest.json: written by a newer msanet-bench (manifest of schema version 99, this one ",
        ),
        (
            _newer_line,
            "B/journal.jsonl:1: written by a newer msanet-bench (attempt of schema version 99, ",
        ),
        (_damaged, "B/manifest.json: not a manifest (ValueError: NaN is no number of JSON)."),
        (
            _no_manifest,
            "B: no results folder: it has no manifest.json. Give folders that `msanet-bench sweep` has left.",
        ),
        (
            _no_journal,
            "B: has records but no journal.jsonl, from which alone folders are merged. Bring back the jour",
        ),
        (
            _searched,
            "B: holds a search, which cannot be merged: what is trained there follows from ",
        ),
        (
            _tuned,
            "B: holds an experiment with `tune`, which cannot be merged: what is trained there follows ",
        ),
        (
            _contradiction,
            "B: variant `attention=none`, seed 4: `measures.accuracy.value` is 0.7 here and 0.814 in A. "
            + ONE,
        ),
        (
            _other_curve,
            "B: variant `attention=none`, seed 4: `curve` is [{'epoch': 1}] here and [] in A. " + ONE,
        ),
    ],
)
def test_what_does_not_belong_together_is_one_message_and_nothing_is_written(
    spoil: Callable[[Path], None], message: str, shards: list[Path], tmp_path: Path
) -> None:
    one, other, _ = shards
    for shard in shards:
        _change(shard, lambda fields: fields.update(data_digest="cafe"))
    one.rename(tmp_path / "A")
    other.rename(tmp_path / "B")
    spoil(tmp_path / "B")
    before = sorted(tmp_path.rglob("*")), files_of(tmp_path)
    code, printed, err = run_verb("merge", "A", "B", "--out", "merged", cwd=tmp_path)
    assert (code, printed) == (2, "")
    assert err.startswith(message)
    assert "Traceback" not in err
    assert (sorted(tmp_path.rglob("*")), files_of(tmp_path)) == before


def test_the_second_of_two_numbers_in_one_folder_is_no_contradiction_while_the_first_counts(
    shards: list[Path], out: Path
) -> None:
    Journal(shards[0] / "journal.jsonl").append(attempt(0, 4, right=700, started=600.0))
    assert merge(shards, out).statuses["ok"] == 6


@pytest.mark.parametrize("name", ["shard1", "shard1/merged", "shard1/../shard1", "link"])
def test_an_output_that_is_an_input_or_lies_in_one_is_refused(
    name: str, shards: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(shards[0])
    before = files_of(tmp_path)
    with pytest.raises(ResultsError, match=f"{name}: must be a folder of its own, but is .*shard1, which is"):
        merge(shards, tmp_path / name)
    assert files_of(tmp_path) == before


def test_an_output_with_another_experiment_is_refused(shards: list[Path], out: Path) -> None:
    write_shard(out, [])
    _other_experiment(out)
    before = files_of(out)
    with pytest.raises(
        ResultsError, match=f"^{shards[0]}: another experiment than {out}: `train.lr` is 0.002"
    ):
        merge(shards, out)
    assert files_of(out) == before


def test_an_output_that_contradicts_is_refused(shards: list[Path], out: Path) -> None:
    write_shard(out, [attempt(0, 4, right=3, started=-1.0)])
    with pytest.raises(ResultsError, match=f"is 0.804 here and 0.003 in {out}"):
        merge(shards, out)


def test_a_cell_that_failed_with_later_code_contradicts_the_good_one_of_earlier_code(
    shards: list[Path], tmp_path: Path
) -> None:
    other = write_shard(tmp_path / "other", [attempt(0, 4, "failed", started=900.0, code="later")])
    with pytest.raises(
        ResultsError, match=r"seed 4: `measures\.accuracy` is .* here and absent in .*other\."
    ):
        merge([*shards, other], tmp_path / "merged")


def test_an_output_that_is_a_shard_is_refused(shards: list[Path]) -> None:
    with pytest.raises(ResultsError, match="shard1: holds a shard, not merged results"):
        merge(shards[1:], shards[0])


def test_an_output_with_attempts_of_no_known_plan_is_refused(shards: list[Path], out: Path) -> None:
    out.mkdir()
    Journal(out / "journal.jsonl").append(attempt(0, 4, started=77.0))
    with pytest.raises(
        ResultsError, match=r"merged: has a journal.jsonl of other attempts and no manifest.json"
    ):
        merge(shards, out)


_HOLD = """
import sys
from pathlib import Path
from msanet_bench.journal import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("held", ["shard2", "merged"])
def test_a_folder_that_a_sweep_holds_is_refused(held: str, shards: list[Path], tmp_path: Path) -> None:
    (tmp_path / "merged").mkdir()
    command = [sys.executable, "-c", _HOLD, str(tmp_path / held)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ResultsError) as caught:
            merge(shards, tmp_path / "merged")
        holder.kill()
    assert str(caught.value) == (
        f"{tmp_path / held}: in use by process {holder.pid} on {os.uname().nodename}. "
        "Wait for it to end, or stop it."
    )
    assert not (tmp_path / "merged" / "journal.jsonl").exists()
    merge(shards, tmp_path / "merged")


def test_a_sweep_cannot_begin_in_a_folder_that_is_being_read(shards: list[Path], out: Path) -> None:
    with sole_writer(shards[0]):
        pass
    code = "from msanet_bench.journal import no_writer\n" + _HOLD.replace(
        "import sole_writer", "import no_writer"
    )
    command = [sys.executable, "-c", code.replace("with sole_writer", "with no_writer"), str(shards[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "held\n"
        # another reader may
        merge(shards, out)
        with pytest.raises(ResultsError, match="in use by"), sole_writer(shards[0]):
            pass
        reader.kill()


def test_a_design_of_other_variants_is_another_experiment(shards: list[Path], tmp_path: Path) -> None:
    design = full({"attention": ["eca", "none", "se"]}, seeds=(4, 2, 7))
    other = write_shard(tmp_path / "other", [], design=design)
    with pytest.raises(
        ResultsError, match=r"another experiment than .* `factors.attention.levels` is \['eca', 'n"
    ):
        merge([*shards, other], tmp_path / "merged")
