import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine

from msanet_bench.errors import ResultsError
from msanet_bench.search import CELL_KEY, Ledger, storage_url
from msanet_bench.search.sqlite import without_waiting

VARIANTS, SEEDS = ["baseline", "attention=none"], [0, 1]


def _trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    url = storage_url(folder)
    studies = optuna.get_all_study_names(url)
    return [trial for name in studies for trial in optuna.load_study(study_name=name, storage=url).trials]


def _log(cause: type[BaseException], logger: str) -> None:
    try:
        try:
            raise cause
        finally:
            raise ValueError("the cursor is in use")
    except ValueError:
        logging.getLogger(logger).exception("Error closing cursor")


@pytest.mark.parametrize(
    ("cause", "logger", "is_printed"),
    [
        (KeyboardInterrupt, "sqlalchemy.pool.impl.QueuePool", False),
        (OSError, "sqlalchemy.pool.impl.QueuePool", True),
        (KeyboardInterrupt, "mine", True),
    ],
)
def test_a_query_that_ctrl_c_breaks_off_prints_no_traceback(
    tmp_path: Path, cause: type[BaseException], logger: str, *, is_printed: bool
) -> None:
    code = (
        "import sys; from pathlib import Path; from test_search_ledger import Ledger, _log, storage_url\n"
        f"Ledger(storage_url(Path({str(tmp_path)!r})), 'x', ['a'], [0])\n"
        f"_log({cause.__name__}, {logger!r})"
    )
    tests = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    done = subprocess.run([sys.executable, "-c", code], env=tests, capture_output=True, text=True, check=True)
    assert ("Error closing cursor" in done.stderr) == is_printed, done.stderr


def test_optuna_is_asked_for_and_told_every_cell(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    numbers = [ledger.ask(f"{v}{s}", v, s) for s in SEEDS for v in VARIANTS]
    for number in numbers[:3]:
        ledger.tell(number, 0.5 + number / 10)
    ledger.tell(numbers[3], None)
    trials = _trials(tmp_path)
    assert [trial.params for trial in trials] == [{"variant": v, "seed": s} for s in SEEDS for v in VARIANTS]
    assert [trial.value for trial in trials] == [0.5, 0.6, 0.7, None]
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3 + [TrialState.FAIL]


def test_trials_left_running_are_told_what_the_journal_knows(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    ledger.ask("known", "baseline", 0)
    ledger.ask("lost", "baseline", 1)
    again = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    again.reconcile({"known": ("baseline", 0, 0.9), "unheard": ("attention=none", 0, 0.8)})
    trials = {trial.user_attrs[CELL_KEY]: trial for trial in _trials(tmp_path)}
    assert trials["known"].value == pytest.approx(0.9)
    assert trials["lost"].state == TrialState.FAIL
    assert trials["unheard"].value == pytest.approx(0.8)
    again.reconcile({"known": ("baseline", 0, 0.9), "unheard": ("attention=none", 0, 0.8)})
    assert len(_trials(tmp_path)) == 3


def test_a_good_record_from_elsewhere_is_told_although_the_cell_had_failed_here(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    ledger.tell(ledger.ask("merged", "baseline", 0), None)
    ledger.tell(ledger.ask("failed", "baseline", 1), None)
    for _ in range(2):
        ledger.reconcile({"merged": ("baseline", 0, 0.9), "failed": ("baseline", 1, None)})
    assert [trial.value for trial in _trials(tmp_path)] == [None, None, 0.9]


def test_a_cell_left_in_the_queue_does_not_take_the_place_of_the_next(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    name = optuna.get_all_study_names(storage_url(tmp_path))[0]
    killed = optuna.load_study(study_name=name, storage=storage_url(tmp_path))
    killed.enqueue_trial({"variant": "attention=none", "seed": 1})
    number = ledger.ask("wanted", "baseline", 0)
    asked = {trial.number: trial for trial in _trials(tmp_path)}[number]
    assert asked.params == {"variant": "baseline", "seed": 0}
    assert all(trial.state != TrialState.WAITING for trial in _trials(tmp_path))


def test_a_damaged_study_is_one_message_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ResultsError, match=r"study\.db: cannot be used .* delete it and run again\."):
        Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)


def test_a_changed_space_opens_a_study_of_its_own(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", VARIANTS, SEEDS)
    ledger.tell(ledger.ask("a", "baseline", 0), 0.5)
    Ledger(storage_url(tmp_path), "x", VARIANTS, [0, 1, 2]).reconcile({"a": ("baseline", 0, 0.5)})
    assert len(optuna.get_all_study_names(storage_url(tmp_path))) == 2
    assert [trial.value for trial in _trials(tmp_path)] == [0.5, 0.5]


def test_a_commit_to_our_file_waits_for_no_disk_and_one_of_sqlalchemys_own_would(tmp_path: Path) -> None:
    url = storage_url(tmp_path)
    waits = {}
    for name, options in {"ours": without_waiting(url), "theirs": {}}.items():
        engine = create_engine(url, **options)
        with engine.connect() as connection:
            waits[name] = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        engine.dispose()
    # https://www.sqlite.org/pragma.html#pragma_synchronous: 0 is OFF, 2 is FULL
    assert waits == {"ours": 0, "theirs": 2}


@pytest.mark.parametrize("url", ["postgresql://me@host/db", "sqlite://", "sqlite:///file:x?uri=true"])
def test_other_storages_are_opened_as_they_are(url: str) -> None:
    assert without_waiting(url) == {}


def test_a_killed_process_loses_nothing_that_it_told_optuna(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from msanet_bench.search import Ledger, storage_url\n"
        f"ledger = Ledger(storage_url(Path({str(tmp_path)!r})), 'x', {VARIANTS!r}, {SEEDS!r})\n"
        "ledger.tell(ledger.ask('told', 'baseline', 0), 0.5); ledger.ask('asked', 'baseline', 1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    trials = [(trial.user_attrs[CELL_KEY], trial.state, trial.value) for trial in _trials(tmp_path)]
    assert trials == [("told", TrialState.COMPLETE, 0.5), ("asked", TrialState.RUNNING, None)]
