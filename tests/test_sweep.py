import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.errors import BenchError, ResultsError
from msanet_bench.events import Ended, Finished, Phase, Started
from msanet_bench.journal import Journal, sole_writer
from msanet_bench.records import read_records
from msanet_bench.search import Ledger, storage_url
from msanet_bench.sweep import SweepOptions, parse_retry, run_sweep
from sweeps import copied, ended, quiet, sweep, trained

__all__ = ["quiet"]

VARIANTS = ("baseline", "attention=none", "attention=se")
PLANTED = Path(__file__).parent / "planted.py"


def test_records_stand_in_plan_order_with_every_measure(quiet: Path) -> None:
    records = read_records(quiet / "results")
    names = ["baseline", "attention=none", "attention=se"]
    assert [(record.variant, record.seed) for record in records] == [(n, s) for s in (0, 1) for n in names]
    for record in records:
        assert record.status == "ok"
        assert set(record.measures) == {"accuracy", "balanced_accuracy", "loss", "params", "macs"}
        assert record.correct_bits().mean() == pytest.approx(record.measures["accuracy"].value)
        assert record.test_images == 24
        assert len(record.curve) == 2


def test_records_hold_no_times_hosts_or_paths(quiet: Path) -> None:
    text = (quiet / "results" / "records.jsonl").read_text()
    assert "started" not in text
    assert os.uname().nodename not in json.loads(text.splitlines()[0])["provenance"].values()
    assert str(quiet) not in text


def test_what_runs_is_announced_while_it_does_and_never_afterwards(tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(tmp_path, measure="measure: {latency_rounds: 0}"))
    (tmp_path / "running.json").write_text("left behind by a killed sweep")
    seen: list[set[tuple[str, int]]] = []
    with contextlib.closing(run_sweep(experiment, SweepOptions(results=tmp_path, workers=2))) as events:
        assert isinstance(next(events), Started)
        assert not (tmp_path / "running.json").exists()
        for event in events:
            if isinstance(event, Finished) and (tmp_path / "running.json").exists():
                cells = json.loads((tmp_path / "running.json").read_text())
                slots = {cell["slot"] for cell in cells}
                assert slots <= {0, 1}
                assert len(slots) == len(cells)
                seen.append({(cell["variant"], cell["seed"]) for cell in cells})
    assert not (tmp_path / "running.json").exists()
    planned = {(variant, seed) for variant in VARIANTS for seed in (0, 1)}
    assert seen[0] == {("baseline", 0), ("attention=none", 0)}
    assert set.union(*seen) == planned


def test_latency_is_in_its_own_files_and_never_in_a_cuda_row_without_a_device(quiet: Path) -> None:
    rows = (quiet / "results" / "latency.csv").read_text().splitlines()
    # three variants and two twins, then the three without a device
    assert len(rows) == 1 + 5 + 3
    assert all("not measured (no CUDA device)" in row for row in rows if ",cuda," in row)
    assert "latency" not in (quiet / "results" / "records.jsonl").read_text()


def test_the_same_command_again_trains_and_times_nothing(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    before = {
        file.name: file.read_bytes() for file in results.iterdir() if file.is_file() and file.name != "lock"
    }
    events = sweep(path, results)
    assert [type(event) for event in events] == [Started, Phase, Ended]
    after = {
        file.name: file.read_bytes() for file in results.iterdir() if file.is_file() and file.name != "lock"
    }
    assert {name for name in before if before[name] != after[name]} <= {"study.db"}


def test_another_network_under_the_same_names_is_timed_anew(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    samples = (results / "samples.parquet").read_bytes()
    text = (tmp_path / "tiny.yaml").read_text().replace("width: 0.125", "width: 0.25")
    sweep(write_experiment(tmp_path, text), results)
    assert (results / "samples.parquet").read_bytes() != samples


def test_a_lost_line_of_the_journal_costs_only_its_own_cell(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    journal = results / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    lost = json.loads(lines[-1])["record"]["key"]
    journal.write_text("".join(lines[:-1]) + lines[-1][:100])
    events = sweep(path, results)
    assert isinstance(events[0], Started)
    assert any("half a line (100 bytes)" in note for note in events[0].notes)
    assert trained(events) == [lost]
    assert (results / "records.jsonl").read_bytes() == (quiet / "results" / "records.jsonl").read_bytes()


def test_a_journal_of_version_1_is_gone_on_with_and_its_lines_are_kept(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    journal, manifest = results / "journal.jsonl", results / "manifest.json"
    *old, lost = journal.read_text().replace('"schema_version":2,', '"schema":1,').splitlines(keepends=True)
    journal.write_text("".join(old))
    manifest.write_text(manifest.read_text().replace('"schema_version": 2,', '"schema": 1,'))
    assert trained(sweep(path, results)) == [json.loads(lost)["record"]["key"]]
    lines = journal.read_text().splitlines(keepends=True)
    assert lines[:-1] == old
    assert lines[-1].startswith('{"schema_version":2,')
    for name in ("records.jsonl", "manifest.json"):
        assert (results / name).read_bytes() == (quiet / "results" / name).read_bytes()


def test_a_journal_that_is_refused_keeps_its_torn_line(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    journal = results / "journal.jsonl"
    newer = journal.read_bytes()[:-9].replace(b'{"schema_version":2,', b'{"schema_version":3,', 1)
    journal.write_bytes(newer)
    with pytest.raises(ResultsError, match=r"journal\.jsonl:1: written by a newer msanet-bench"):
        sweep(path, results)
    assert journal.read_bytes() == newer


def test_the_study_is_only_memory_and_can_be_deleted(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    journal = results / "journal.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-2]))
    (results / "study.db").unlink()
    assert len(trained(sweep(path, results))) == 2
    url = storage_url(results)
    (name,) = optuna.get_all_study_names(url)
    assert sum(t.value is not None for t in optuna.load_study(study_name=name, storage=url).trials) == 6


def test_more_seeds_train_only_the_difference_and_keep_the_rest(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    events = sweep(write_experiment(tmp_path, seeds="seeds: 3"), results)
    assert len(trained(events)) == 3
    assert [record.seed for record in read_records(results)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_cell_that_is_no_longer_planned_stays_in_the_journal_and_leaves_the_tables(
    quiet: Path, tmp_path: Path
) -> None:
    _, results = copied(quiet, tmp_path)
    events = sweep(write_experiment(tmp_path, seeds="seeds: 1"), results)
    assert isinstance(events[0], Started)
    assert any(note.startswith("3 cells of the journal are not in this plan") for note in events[0].notes)
    assert len(read_records(results)) == 3
    assert len(Journal(results / "journal.jsonl").read()) == 6


def test_cells_that_an_edited_baseline_gives_other_names_stand_under_them(
    quiet: Path, tmp_path: Path
) -> None:
    _, results = copied(quiet, tmp_path)
    text = (tmp_path / "tiny.yaml").read_text().replace("depth: [1]}", "depth: [1], attention: none}")
    events = sweep(write_experiment(tmp_path, text), results)
    assert trained(events) == []
    before = {record.key: record.variant for record in read_records(quiet / "results")}
    after = {record.key: record.variant for record in read_records(results)}
    renamed = {(before[key], name) for key, name in after.items()}
    assert renamed == {
        ("attention=none", "baseline"),
        ("baseline", "attention=self_attention"),
        ("attention=se", "attention=se"),
    }


def test_cells_of_other_code_or_another_torch_are_noted(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    journal = results / "journal.jsonl"
    journal.write_text(re.sub(r'"torch":"[^"]*"', '"torch":"1.0"', journal.read_text(), count=2))
    events = sweep(path, results)
    assert isinstance(events[0], Started)
    assert any(note.startswith("2 finished cells had another torch than now (") for note in events[0].notes)


def test_latencies_of_other_networks_are_gone_before_training_begins(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    text = (tmp_path / "tiny.yaml").read_text().replace("width: 0.125", "width: 0.25")
    experiment = load_experiment(write_experiment(tmp_path, text))
    with contextlib.closing(run_sweep(experiment, SweepOptions(results=results, workers=1))) as events:
        while not isinstance(next(events), Finished):
            pass
    assert not (results / "latency.csv").exists()
    assert not (results / "samples.parquet").exists()


def test_delta_and_measurement_are_not_part_of_a_cell(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    changed = write_experiment(tmp_path, delta="delta: 1 pp", measure="measure: {latency_rounds: 0}")
    assert trained(sweep(changed, results)) == []


def test_each_kind_of_failure_is_a_record_with_its_reason_and_the_sweep_goes_on(tmp_path: Path) -> None:
    shutil.copy(PLANTED, tmp_path)
    text = write_experiment(tmp_path).read_text()
    text = text.replace(
        "[self_attention, none, se]", "[none, planted_error, planted_memory_error, planted_crash]"
    )
    path = write_experiment(tmp_path, text + "plugins: [planted.py]\n", seeds="seeds: 1")
    events = sweep(path, tmp_path / "results")
    records = {r.variant.removeprefix("attention="): r for r in read_records(tmp_path / "results")}
    assert {name: (record.status, record.reason) for name, record in records.items()} == {
        "baseline": ("ok", ""),
        "none": ("ok", ""),
        "planted_error": ("failed", "RuntimeError: planted: shapes do not fit"),
        "planted_memory_error": ("oom", "planted: no memory left"),
        "planted_crash": ("failed", "the worker process was killed by SIGSEGV"),
    }
    assert ended(events) == Ended(cells=5, not_ok=3)
    journal = (tmp_path / "results" / "journal.jsonl").read_text()
    assert "Traceback" in journal
    assert "Traceback" not in (tmp_path / "results" / "records.jsonl").read_text()
    assert trained(sweep(path, tmp_path / "results")) == []
    again = sweep(path, tmp_path / "results", retry=parse_retry("oom"))
    assert trained(again) == [records["planted_memory_error"].key]


def test_a_loss_that_is_not_finite_ends_the_cell_as_diverged_with_its_step(tmp_path: Path) -> None:
    text = write_experiment(tmp_path).read_text().replace("lr: 1e-2", "lr: 1000, optimiser: sgd")
    events = sweep(write_experiment(tmp_path, text, seeds="seeds: 1"), tmp_path / "results")
    diverged = [r for r in read_records(tmp_path / "results") if r.status == "diverged"]
    assert diverged
    assert all("step" in record.reason for record in diverged)
    assert ended(events).not_ok == len(diverged)


def test_the_journal_is_written_before_optuna_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "tell", die)
    with pytest.raises(KeyboardInterrupt):
        sweep(write_experiment(tmp_path), tmp_path / "results")
    assert len(Journal(tmp_path / "results" / "journal.jsonl").read()) == 1


def test_optuna_is_not_told_what_the_journal_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    told: list[object] = []
    monkeypatch.setattr(Journal, "append", die)
    monkeypatch.setattr(Ledger, "tell", lambda *arguments: told.append(arguments))
    with pytest.raises(KeyboardInterrupt):
        sweep(write_experiment(tmp_path), tmp_path / "results")
    assert not told
    assert Journal(tmp_path / "results" / "journal.jsonl").read() == []


def test_an_interrupted_sweep_leaves_tables_of_what_it_finished(tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(tmp_path))
    events = run_sweep(experiment, SweepOptions(results=tmp_path / "results", workers=1))
    while not isinstance(next(events), Finished):
        pass
    events.close()
    assert len(read_records(tmp_path / "results")) == 1
    assert len(trained(sweep(tmp_path / "tiny.yaml", tmp_path / "results"))) == 5


def test_a_second_sweep_on_a_folder_is_told_who_holds_it(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(results)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ResultsError, match=f"in use by process {holder.pid} on "):
            sweep(path, results)
    finally:
        holder.kill()
        holder.communicate()
    with sole_writer(results):
        pass


_HOLD = """
import sys, time
from pathlib import Path
from typing import Any
from msanet_bench.journal import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_an_unknown_retry_status_is_refused() -> None:
    with pytest.raises(BenchError, match=r"--retry: must be any of failed, oom, diverged, but got 'ok'\."):
        parse_retry("ok")


@pytest.mark.slow
def test_kill_9_then_the_same_command_gives_the_bytes_of_a_quiet_run(quiet: Path, tmp_path: Path) -> None:
    """What a user starts; at other moments `test_torture.py` kills a prepared process."""
    path, results = write_experiment(tmp_path), tmp_path / "results"
    command = [
        *(sys.executable, "-m", "msanet_bench", "sweep", str(path)),
        *("--results", str(results), "--reports", str(tmp_path / "report"), "--workers", "2"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    journal = results / "journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 1):
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    kept = [attempt.record.key for attempt in Journal(journal).read()]
    assert 1 <= len(kept) < 6
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    attempts = [attempt.record.key for attempt in Journal(journal).read()]
    assert attempts[: len(kept)] == kept
    assert len(attempts) == len(set(attempts)) == 6
    assert (results / "records.jsonl").read_bytes() == (quiet / "results" / "records.jsonl").read_bytes()
