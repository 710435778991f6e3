"""Where studies are kept, and that a password in a URL gets nowhere."""

import json
import os
import shutil
from pathlib import Path

import optuna
import pytest

from commands import run_verb
from experiments import write_experiment
from msanet_bench.errors import BenchError
from msanet_bench.journal import Journal
from msanet_bench.search import (
    CELL_KEY,
    Ledger,
    StorageLost,
    chosen_storage,
    open_storage,
    shown,
    study_name,
    telling,
)
from msanet_bench.sweep import SweepOptions

SECRET = "geheim%2Fnis"  # noqa: S105 (geheim/nis, as it stands in a URL)
# port 1 of this machine: nobody answers
AWAY = f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/lab"


def test_the_variable_is_taken_out_of_the_environment_and_an_option_comes_before_it() -> None:
    environment = {"MSANET_BENCH_STORAGE": AWAY, "HOME": "/"}
    assert chosen_storage(None, environment) == AWAY
    assert environment == {"HOME": "/"}
    assert chosen_storage(None, environment) is None
    environment["MSANET_BENCH_STORAGE"] = AWAY
    assert chosen_storage("sqlite:///x.db", environment) == "sqlite:///x.db"
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    "url",
    [
        AWAY,
        f"postgresql+psycopg://me@host/lab?password={SECRET}",
        f"postgresql+psycopg://me@host/lab?sslpassword={SECRET}",
        f"mysql+pymysql://me@host/lab?ssl_key_password={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}",
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BenchError, match=r"may hold no password\. Give .* MSANET_BENCH_STORAGE") as refused:
        chosen_storage(url, {})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("geheim", "must be a URL such as"),
        ("postgresql+psycopg://me:geheim@host:here/lab", "must be a URL such as"),
        ("nosuchthing://me:geheim@host/lab", "must be a URL such as"),
        ("postgresql+psycopg://me:ge@heim@host/lab", "must be written as %40"),
        ("journal://", "must name a file"),
    ],
)
def test_what_is_no_url_is_refused_without_being_quoted(text: str, message: str) -> None:
    for option, environment in [(text, {}), (None, {"MSANET_BENCH_STORAGE": text})]:
        with pytest.raises(BenchError, match=message) as refused:
            chosen_storage(option, environment)
        assert "heim" not in str(refused.value)


def test_a_url_is_shown_without_password_and_options() -> None:
    url = f"postgresql+psycopg://me:{SECRET}@host:5433/lab?sslpassword={SECRET}&application_name=x"
    assert shown(url) == "postgresql+psycopg://me:***@host:5433/lab"


def test_a_storage_that_cannot_be_opened_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(StorageLost) as lost:
        open_storage(f"sqlite:///{tmp_path}/nowhere/study.db")
    assert str(lost.value).startswith(
        f"sqlite:///{tmp_path}/nowhere/study.db: cannot be used (unable to open"
    )
    assert lost.value.__suppress_context__


def test_words_of_a_driver_that_quote_the_password_are_masked() -> None:
    with pytest.raises(StorageLost) as lost, telling(AWAY):
        raise OSError(f"dsn: me:{SECRET}@127.0.0.1 and geheim/nis")
    assert "geheim" not in str(lost.value)
    assert "dsn: me:***@127.0.0.1 and ***" in str(lost.value)


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(
        StorageLost, match=r"mysql\+cymysql://me@host/lab: needs the Python driver of mysql\+cymysql"
    ):
        open_storage("mysql+cymysql://me@host/lab")


def test_folders_of_one_name_have_studies_of_their_own_and_keep_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    url = "sqlite:////anywhere/shared.db"
    assert study_name("x", one, None) == "x"
    assert not (one / "study_id").exists()
    mine = study_name("x", one, url)
    assert mine.startswith("x-")
    assert study_name("x", one, url) == mine
    assert study_name("x", other, url) != mine
    shutil.rmtree(other)
    shutil.copytree(one, other)
    assert study_name("x", other, url) != mine
    one.rename(tmp_path / "moved")
    assert study_name("x", tmp_path / "moved", url) == mine


def test_an_id_that_is_none_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "study_id").write_text("{")
    with pytest.raises(BenchError, match=r"study_id: not the id of a study. Delete it"):
        study_name("x", tmp_path, "sqlite:///x.db")


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_two_sweeps_of_one_name_share_a_storage_and_leave_each_others_trials_alone(
    tmp_path: Path, kind: str
) -> None:
    url = f"{kind}:///{tmp_path}/shared"
    ledgers = {}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        ledgers[name] = Ledger(url, study_name("x", tmp_path / name, url), ["a", "b"], [0])
    ledgers["one"].ask("k", "a", 0)
    # the other starts anew: what is running is not its own
    Ledger(url, study_name("x", tmp_path / "other", url), ["a", "b"], [0]).reconcile({})
    studies = [optuna.load_study(study_name=s, storage=open_storage(url)) for s in _names(url)]
    trials = [trial for study in studies for trial in study.trials]
    assert len(studies) == 2
    assert [(trial.user_attrs[CELL_KEY], trial.state.name) for trial in trials] == [("k", "RUNNING")]
    assert all(study.metric_names == ["accuracy"] for study in studies)


def _names(url: str) -> list[str]:
    return optuna.get_all_study_names(open_storage(url))


def test_a_sweep_options_repr_holds_no_password(tmp_path: Path) -> None:
    assert "geheim" not in repr(SweepOptions(results=tmp_path, storage=AWAY))


def test_a_storage_that_is_away_at_the_start_is_exit_code_2_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSANET_BENCH_STORAGE", f"sqlite:///{tmp_path}/nowhere/study.db")
    code, out, err = run_verb("sweep", write_experiment(tmp_path), cwd=tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "counting" not in out
    assert "MSANET_BENCH_STORAGE" not in os.environ


def test_a_storage_that_goes_away_stops_the_sweep_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = optuna.Study.tell
    calls: list[int] = []

    def tell(self: optuna.Study, number: int, accuracy: float) -> None:
        calls.append(number)
        if len(calls) > 1:
            raise optuna.exceptions.StorageInternalError("the server has gone")
        told(self, number, accuracy)

    monkeypatch.setattr(optuna.Study, "tell", tell)
    path = write_experiment(tmp_path, measure="measure: {latency_rounds: 0}")
    arguments = ["sweep", path, "--workers", "2", "--storage", f"sqlite:///{tmp_path}/shared.db"]
    code, out, _ = run_verb(*arguments, cwd=tmp_path)
    assert code == 1
    assert "no further cells: sqlite:///" in out
    assert "cannot be used (the server has gone)" in out
    kept = Journal(tmp_path / "results" / "tiny" / "journal.jsonl").read()
    # the second that ended met the loss; the third ran meanwhile and was brought to its end
    assert (len(kept), len(calls)) == (3, 2)
    assert "3 of 6 cells have not begun" in out
    monkeypatch.undo()
    assert run_verb(*arguments, cwd=tmp_path).code == 0
    (name,) = _names(f"sqlite:///{tmp_path}/shared.db")
    study = optuna.load_study(study_name=name, storage=f"sqlite:///{tmp_path}/shared.db")
    completed = [trial.user_attrs[CELL_KEY] for trial in study.trials if trial.state.name == "COMPLETE"]
    keys = [attempt.record.key for attempt in Journal(tmp_path / "results" / "tiny" / "journal.jsonl").read()]
    assert sorted(completed) == sorted(keys)
    assert len(set(keys)) == 6
    assert "storage" not in json.loads((tmp_path / "results" / "tiny" / "manifest.json").read_text())


def test_a_file_that_holds_the_password_is_no_password() -> None:
    url = "postgresql+psycopg://me@host/lab?passfile=/home/me/.pgpass"
    assert chosen_storage(url, {}) == url


def test_a_journal_of_optuna_that_is_not_there_is_not_made_to_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(StorageLost, match=r"typo: cannot be used .*No such file"):
        open_storage(f"journal:///{tmp_path}/typo", create=False)
    assert list(tmp_path.iterdir()) == []
    open_storage(f"journal:///{tmp_path}/typo")
    open_storage(f"journal:///{tmp_path}/typo", create=False)
