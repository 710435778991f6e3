"""How sweeps end whose plan was not trained to its end; a formula stands for training."""

import os
import re
import time
from pathlib import Path

import optuna
import pytest

from commands import run_verb
from experiments import write_experiment
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.events import Ended
from msanet_bench.records import read_records
from msanet_bench.search import CELL_KEY, storage_url
from msanet_bench.sweep import SweepOptions, run
from msanet_bench.sweep.devices import VISIBLE, Devices
from msanet_bench.sweep.opening import open_sweep
from sweeps import ended, trained
from tuning import TUNED, Formula, formula, tuned

__all__ = ["formula"]

PLAIN = "\n".join(line for line in TUNED.splitlines() if not line.startswith("tune:"))
TIMED = PLAIN.replace("latency_rounds: 0", "latency_rounds: 40")


def test_a_deadline_that_leaves_cells_leaves_no_time_for_latencies_either(
    tmp_path: Path, formula: Formula, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[object] = []
    monkeypatch.setattr(run, "measure_latency", lambda *given, **_: sessions.append(given) or [])
    assert ended(tuned(tmp_path, TIMED, deadline=time.time() - 1)) == Ended(6, not_ok=0, left=6)
    assert not sessions
    assert not formula.jobs
    assert ended(tuned(tmp_path, TIMED, deadline=time.time() + 3600)) == Ended(6, not_ok=0)
    assert len(sessions) == 1


def test_a_cell_that_is_trained_again_is_told_its_new_accuracy_alone_although_it_was_killed(
    tmp_path: Path, formula: Formula
) -> None:
    tuned(tmp_path, PLAIN)
    journal = tmp_path / "results" / "journal.jsonl"
    journal.write_text(re.sub(r'"code":"[^"]*"', '"code":"0ther"', journal.read_text(), count=1))
    key = read_records(tmp_path / "results")[0].key
    formula.most = 6
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path, PLAIN, other_code="train again")
    formula.most = None
    assert trained(tuned(tmp_path, PLAIN, other_code="train again")) == [key]
    url = storage_url(tmp_path / "results")
    (name,) = optuna.get_all_study_names(url)
    trials = optuna.load_study(study_name=name, storage=url).trials
    # what the other code reached, what was killed, and what counts
    states = [trial.state.name for trial in trials if trial.user_attrs[CELL_KEY] == key]
    assert states == ["COMPLETE", "FAIL", "COMPLETE"]


def test_a_sweep_that_is_only_opened_hides_no_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    experiment = load_experiment(write_experiment(tmp_path, PLAIN))
    plan = check_plan(experiment, tmp_path)
    open_sweep(experiment, SweepOptions(tmp_path / "results"), Devices("cuda", ("7",)), plan)
    assert VISIBLE not in os.environ


def test_who_trains_some_variants_alone_is_told_how_to_train_the_others(
    tmp_path: Path, formula: Formula
) -> None:
    path = write_experiment(tmp_path, PLAIN)
    code, out, _ = run_verb("sweep", path, "--variants", "attention=none", cwd=tmp_path)
    assert (code, len(formula.jobs)) == (1, 2)
    assert "= 6 cells, 0 done" in out
    assert "4 of 6 cells are of variants that --variants does not name: leave it out to train them." in out
    assert "Give the same command again" not in out
    assert run_verb("sweep", path, cwd=tmp_path).code == 0
