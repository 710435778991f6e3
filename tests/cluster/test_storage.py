"""Studies in a real PostgreSQL: the same bytes as with a file, nothing lost when the server is killed.

The server runs on the loopback interface as the user `postgres`, since it refuses to run as root.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import psutil
import pytest
from optuna.storages import RDBStorage

from commands import Outcome
from experiments import write_experiment
from msanet_bench.journal import Journal
from msanet_bench.search import CELL_KEY, open_storage

pytestmark = pytest.mark.cluster

SECRET = "kein@wort/hier"  # noqa: S105 (of a server that lives for a minute)
QUOTED = "kein%40wort%2Fhier"


class Server:
    """A PostgreSQL of its own in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._data, self._folder = folder / "data", folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql+psycopg://postgres:{QUOTED}@127.0.0.1:{self.port}/postgres"
        secret = folder / "secret"
        secret.write_text(SECRET)
        self._run("initdb", "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}")

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", settings, "start")

    def kill(self) -> None:
        """As by a power cut: the postmaster and all its children at once."""
        leader = psutil.Process(int((self._data / "postmaster.pid").read_text().splitlines()[0]))
        members = [leader, *leader.children(recursive=True)]
        for member in members:
            member.kill()
        psutil.wait_procs(members, timeout=30)

    def stop(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        (path,) = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))[-1:]
        command = ["runuser", "-u", "postgres", "--", str(path), "-D", str(self._data), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # not below pytest's folder, which only its own user may enter
    folder = Path(tempfile.mkdtemp(prefix="msanet-bench-postgres-"))
    shutil.chown(folder, "postgres")
    running = Server(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


def sweep(folder: Path, url: str | None, **changes: str) -> subprocess.Popen[str]:
    """A sweep of the tiny experiment in a process of its own; its results are in `folder`/results/tiny."""
    folder.mkdir(exist_ok=True)
    path = write_experiment(folder, measure="measure: {latency_rounds: 0}", **changes)
    environment = dict(os.environ) if url is None else {**os.environ, "MSANET_BENCH_STORAGE": url}
    command = [sys.executable, "-m", "msanet_bench", "sweep", path.name, "--workers", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=300)
    return Outcome(process.returncode, out, err)


def results(folder: Path) -> Path:
    return folder / "results" / "tiny"


def trials(url: str, folder: Path) -> list[optuna.trial.FrozenTrial]:
    """All trials of the study of a folder."""
    own = json.loads((results(folder) / "study_id").read_text())["id"]
    storage = open_storage(url)
    assert isinstance(storage, RDBStorage)
    try:
        (name,) = [name for name in optuna.get_all_study_names(storage) if f"-{own}-" in name]
        return optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def assert_every_cell_is_told_once(url: str, folder: Path) -> None:
    keys = [attempt.record.key for attempt in Journal(results(folder) / "journal.jsonl").read()]
    assert len(keys) == len(set(keys))
    told = [trial.user_attrs[CELL_KEY] for trial in trials(url, folder) if trial.state.name == "COMPLETE"]
    assert sorted(told) == sorted(keys)
    assert all(trial.state.is_finished() for trial in trials(url, folder))


def assert_the_password_is_nowhere(folder: Path, outcome: Outcome) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert QUOTED.encode() not in content, path
    for text in (outcome.out, outcome.err):
        assert SECRET not in text
        assert QUOTED not in text


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The records of an undisturbed sweep with its own file."""
    folder = tmp_path_factory.mktemp("quiet")
    assert ended(sweep(folder, None, seeds="seeds: 8")).code == 0
    return (results(folder) / "records.jsonl").read_bytes()


def test_two_sweeps_at_once_give_the_bytes_of_a_file_and_never_meet(
    server: Server, quiet: bytes, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    processes = [sweep(folder, server.url, seeds="seeds: 8") for folder in folders]
    seen: set[str] = set()
    while any(process.poll() is None for process in processes):
        seen |= _command_lines()
        time.sleep(0.1)
    assert any("msanet_bench" in line for line in seen)
    assert not any(SECRET in line or QUOTED in line for line in seen)
    for folder, process in zip(folders, processes, strict=True):
        outcome = ended(process)
        assert outcome.code == 0, outcome.err
        assert (results(folder) / "records.jsonl").read_bytes() == quiet
        assert_every_cell_is_told_once(server.url, folder)
        assert {trial.state.name for trial in trials(server.url, folder)} == {"COMPLETE"}
        assert not (results(folder) / "study.db").exists()
        assert_the_password_is_nowhere(folder, outcome)


def test_a_server_that_is_killed_stops_the_sweep_and_the_same_command_goes_on(
    server: Server, quiet: bytes, tmp_path: Path
) -> None:
    process = sweep(tmp_path, server.url, seeds="seeds: 8")
    journal = results(tmp_path) / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 3):
        assert process.poll() is None, ended(process)
        time.sleep(0.01)
    server.kill()
    outcome = ended(process)
    kept = Journal(journal).read()
    assert outcome.code == 1
    assert (
        f"no further cells: postgresql+psycopg://postgres:***@127.0.0.1:{server.port}/postgres" in outcome.out
    )
    assert f"{24 - len(kept)} of 24 cells have not begun" in outcome.out
    assert "Traceback" not in outcome.out + outcome.err
    assert_the_password_is_nowhere(tmp_path, outcome)
    away = ended(sweep(tmp_path, server.url, seeds="seeds: 8"))
    assert (away.code, len(away.err.splitlines())) == (2, 1)
    assert "Nothing is lost" in away.err
    assert_the_password_is_nowhere(tmp_path, away)
    server.start()
    again = ended(sweep(tmp_path, server.url, seeds="seeds: 8"))
    assert again.code == 0, again.err
    assert f"= 24 cells, {len(kept)} done" in again.out
    assert (results(tmp_path) / "records.jsonl").read_bytes() == quiet
    assert_every_cell_is_told_once(server.url, tmp_path)


def test_a_sweep_that_is_killed_leaves_nothing_running_in_the_study(server: Server, tmp_path: Path) -> None:
    process = sweep(tmp_path, server.url, seeds="seeds: 8")
    journal = results(tmp_path) / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert any(trial.state.name == "RUNNING" for trial in trials(server.url, tmp_path))
    assert ended(sweep(tmp_path, server.url, seeds="seeds: 8")).code == 0
    assert_every_cell_is_told_once(server.url, tmp_path)


def test_a_wrong_password_is_one_line_that_does_not_repeat_it(server: Server, tmp_path: Path) -> None:
    outcome = ended(sweep(tmp_path, server.url.replace(QUOTED, "falsch%2Fhier")))
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "password authentication failed" in outcome.err
    assert "falsch" not in outcome.err


def _command_lines() -> set[str]:
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return set(lines)
